import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freeTcpPort, freeUdpPort, processTree } from '@neko-edge/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../../apps/neko/src/main.ts', import.meta.url))
let folder: string

/** Runs the CLI to its end: exit code, what it said, and how many processes it left. */
async function neko(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; text: string; left: number }> {
  const child = spawn(process.execPath, [main, ...args], {
    env: {
      ...process.env,
      NEKO_DATA_DIR: join(folder, 'data'),
      NEKO_SERVER_BIND: `127.0.0.1:${await freeTcpPort()}`,
      NEKO_WEBRTC_UDPMUX: String(await freeUdpPort()),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return { code, text, left: (await processTree(child.pid ?? 0)).length }
}

describe('a server that can not start says so in one clear line, and leaves nothing', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neko-cli-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('[CLI-1] a port in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const { code, text, left } = await neko(['serve'], { NEKO_SERVER_BIND: `127.0.0.1:${port}` })
    taken.close()
    expect(text).toContain(`127.0.0.1:${port} is in use: stop what listens there, or set NEKO_SERVER_BIND to a free address`)
    expect([code, left]).toEqual([1, 0])
  })

  it('[CLI-2] a data directory that can not be written', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const { code, text, left } = await neko(['serve'], { NEKO_DATA_DIR: join(file, 'data') })
    expect(text).toContain('can not be written')
    expect(text).toContain('NEKO_DATA_DIR')
    expect([code, left]).toEqual([1, 0])
  })

  it.each(['control-plane', 'capture-node'])('[CLI-3] an unreachable Redis: %s', async (command) => {
    const { code, text } = await neko([command], { NEKO_REDIS_URL: `redis://user:secret@127.0.0.1:${await freeTcpPort()}` })
    expect(text).toMatch(/Redis at redis:\/\/127\.0\.0\.1:\d+ does not answer: start it, or set NEKO_REDIS_URL/)
    expect(text).not.toContain('secret')
    expect(code).toBe(1)
  })

  it('[CLI-4] a missing program', async () => {
    const { code, text, left } = await neko(['serve'], { MEDIASOUP_WORKER_BIN: '/nowhere/mediasoup-worker' })
    expect(text).toContain('/nowhere/mediasoup-worker')
    expect([code, left]).toEqual([1, 0])
  })

  it('[CLI-5] no Redis named for a part of a fleet', async () => {
    const { code, text } = await neko(['control-plane'])
    expect(text).toContain('set NEKO_REDIS_URL')
    expect(code).toBe(1)
  })

  it('[CLI-6] options that are wrong, all of them at once, each with its remedy', async () => {
    const { code, text } = await neko(['serve', '--server.bnd', 'x'], { NEKO_WEBRTC_EPR: '60000-59000' })
    expect(text).toContain('Did you mean --server.bind?')
    expect(text).toContain('NEKO_WEBRTC_EPR')
    expect(code).toBe(1)
  })

  it('[CLI-7] default passwords off loopback', async () => {
    const { code, text } = await neko(['serve'], { NEKO_SERVER_BIND: `0.0.0.0:${await freeTcpPort()}` })
    expect(text).toContain('NEKO_MEMBER_MULTIUSER_USER_PASSWORD')
    expect(code).toBe(1)
  })

  it('[CLI-8] an unknown command', async () => {
    const { code, text } = await neko(['sevre'])
    expect(text).toContain('there is no command sevre')
    expect(code).toBe(1)
  })

  it('[CLI-9] help and the effective configuration are shown, secrets masked', async () => {
    expect((await neko(['--help'])).text).toContain('neko serve')
    const { code, text } = await neko(['config', 'check'], { NEKO_MEMBER_MULTIUSER_ADMIN_PASSWORD: 'very secret' })
    expect(text).not.toContain('very secret')
    expect(code).toBe(0)
  })
})
