import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Person } from '../../apps/control-plane/test/session/person.fixture.ts'
import { Fleet } from '../e2e/fleet.ts'

const main = fileURLToPath(new URL('../../apps/neko/src/main.ts', import.meta.url))

describe('neko load-test', () => {
  let fleet: Fleet
  let admin: Person

  beforeAll(async () => {
    fleet = await Fleet.open({ controlPlanes: [{}], env: { NEKO_DESKTOP_APP: 'sleep 100000' } })
    admin = await Person.login({ url: () => fleet.urls[0] ?? '' }, { name: 'admin', password: 'admin', plane: 0 })
  }, 60_000)
  afterAll(() => fleet?.[Symbol.asyncDispose]())

  const argv = (args: string) => [main, 'load-test', ...args.split(' ')]
  const run = (args: string): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, argv(args), (_error, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, stdout, stderr }),
      )
    })
  /** Names of those who are logged in by a load test. */
  const inside = async () => {
    const sessions = (await (await admin.request('/api/sessions', { method: 'GET' })).json()) as { profile: { name: string } }[]
    return sessions.map(({ profile }) => profile.name).filter((name) => name.startsWith('load'))
  }

  it('[CLI-1353] five members join at the pace that is wished for, watch, are counted, and have all left afterwards', async () => {
    const { code, stdout, stderr } = await run(`--url ${fleet.urls[0]} --password neko --members 5 --joins-per-second 5 --seconds 2`)
    expect(stderr).toMatch(/^5 of 5 joined, 0 failed, 0 gone, \d+ packets\/s, \d+(\.\d+)? Mbit\/s$/m)
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ joined: 5, failed: 0, failures: {}, gone: 0, withoutPicture: 0, codec: 'VP8', interrupted: false })
    const [step, ...others] = result.steps
    expect(others).toEqual([])
    expect(step).toMatchObject({ connected: 5, lost: 0 })
    expect(step.seconds).toBeGreaterThanOrEqual(2)
    expect(step.packets).toBeGreaterThanOrEqual(5 * step.packetsPerViewer.least)
    expect(step.packetsPerViewer.least).toBeGreaterThan(10)
    expect(step.bitratePerViewer / ((step.bytes * 8) / step.seconds / 5)).toBeCloseTo(1, 1)
    expect(result.firstPacketMs.p95).toBeGreaterThanOrEqual(result.firstPacketMs.p50)
    expect(result.joinMs.p50).toBeGreaterThan(0)
    expect(step.clientCpu.viewers).toBeGreaterThan(0)
    expect(code).toBe(0)
    expect(await inside()).toEqual([])
  })

  it('[CLI-1360] the crowd rises step by step; behind thin lines arrives what they carry, and the others have it all', async () => {
    const args = '--members 2,4 --joins-per-second 50 --seconds 1.5 --codec vp8 --thin 50 --thin-kbps 20'
    const { code, stdout } = await run(`--url ${fleet.urls[0]} --password neko ${args}`)
    const { steps, members } = JSON.parse(stdout)
    expect([code, members, steps.length]).toEqual([0, 4, 2])
    expect(steps.map(({ connected, thin }: { connected: number; thin: object }) => [connected, thin])).toEqual([
      [1, expect.objectContaining({ connected: 1 })],
      [2, expect.objectContaining({ connected: 2 })],
    ])
    const [, { thin, ...wide }] = steps
    // What waited in the queue when the step began comes within it.
    expect(thin.bitratePerViewer).toBeLessThan(20_000 * 1.2)
    expect(wide.bitratePerViewer).toBeGreaterThan(2 * thin.bitratePerViewer)
    expect(wide.lost).toBe(0)
  })

  it('[CLI-1354] after Ctrl-C everybody leaves, and the result is printed all the same', async () => {
    const args = argv(`--url ${fleet.urls[0]} --password neko --members 3 --seconds 600`)
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    const ended = once(child, 'close')
    for await (const chunk of child.stderr) {
      if (String(chunk).includes('3 of 3 joined')) {
        break
      }
    }
    expect(await inside()).toHaveLength(3)
    child.kill('SIGINT')
    expect((await ended)[0]).toBe(130)
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true, joined: 3, failed: 0, gone: 0 })
    expect(await inside()).toEqual([])
  })

  it('[CLI-1355] says in a line what is wrong: the password, a host of others, nobody there, another codec, a bad number', async () => {
    const wrong = await run(`--url ${fleet.urls[0]} --password guess --members 3`)
    expect([wrong.code, wrong.stdout, wrong.stderr]).toEqual([1, '', expect.stringMatching(/^login: 401 .+\n$/)])
    const foreign = await run('--url http://192.0.2.1 --password neko')
    expect(foreign).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(/^192\.0\.2\.1 is at 192\.0\.2\.1.*--i-own-this\n$/) })
    const silent = await run('--url http://127.0.0.1:1 --password neko --members 2')
    expect(silent.code).toBe(1)
    const [failure = '', ...more] = Object.entries(JSON.parse(silent.stdout).failures as Record<string, number>).map(String)
    expect([failure, more]).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:1 does not answer: .*,2$/), []])
    const other = JSON.parse((await run(`--url ${fleet.urls[0]} --password neko --members 1 --codec H264`)).stdout)
    expect(other.failures).toEqual({ 'the room sends VP8, not h264': 1 })
    for (const bad of ['--members 5,5', '--codec h266', '--thin 101', '--thin-kbps 0', '--joins-per-second 0']) {
      expect((await run(`${bad} --password neko`)).stderr).toMatch(new RegExp(`^${bad.split(' ')[0]}: `))
    }
    expect((await run('--members many --password neko')).stderr).toMatch(/^--members: /)
    expect((await run('--members 2')).stderr).toMatch(/^--password: is missing/)
  })
})
