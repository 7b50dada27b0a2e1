import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { NekoError, silentLog, until } from '@neko-edge/kit'
import { isAlive, processesThat, recordingLog, roomUser } from '@neko-edge/testing/process'
import { describe, expect, it } from 'vitest'
import { spawnChild } from '../src/child.ts'

const sh = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script]

/** Ids of the live processes of a group. */
const groupOf = (id: number): number[] =>
  execFileSync('ps', ['-eo', 'pgid=,pid=,stat='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([group, , state]) => Number(group) === id && !state?.startsWith('Z'))
    .map(([, pid]) => Number(pid))

describe('spawnChild', () => {
  it('[PRC-1] logs each line of the child with its name and process id', async () => {
    const { log, lines } = recordingLog()
    const child = spawnChild({ name: 'talker', command: sh('echo one; echo two >&2; printf three'), env: {}, log })
    await child.exited
    await until(() => lines.filter(({ message }) => message === 'child says').length === 3, { ms: 2_000, what: 'three lines' })
    const said = lines.filter(({ message }) => message === 'child says')
    expect(said).toContainEqual({ level: 'debug', message: 'child says', fields: { proc: 'talker', pid: child.pid, line: 'one' } })
    expect(said).toContainEqual({ level: 'warn', message: 'child says', fields: { proc: 'talker', pid: child.pid, line: 'two' } })
    expect(said.map(({ fields }) => fields['line']).sort()).toEqual(['one', 'three', 'two'])
  })

  it('[PRC-2] inherits nothing of the environment, and gains no privilege', async () => {
    const child = spawnChild({ name: 'env', command: sh('env; cat /proc/self/status'), env: { A: 'b' }, stdout: 'pipe', log: silentLog })
    const said = await text(child.stdout ?? expect.fail('no stdout'))
    expect(said).toMatch(/^A=b$/m)
    expect(said).not.toMatch(/^(HOME|VITEST)=/m)
    expect(said).toMatch(/^NoNewPrivs:\s+1$/m)
  })

  it('[PRC-3] tells a child that was asked to stop from one that died', async () => {
    const died = spawnChild({ name: 'died', command: sh('exit 3'), env: {}, log: silentLog })
    expect(await died.exited).toEqual({ is: 'died', code: 3, signal: null })
    const asked = spawnChild({ name: 'asked', command: ['sleep', '60'], env: {}, log: silentLog })
    expect(asked.isRunning).toBe(true)
    expect(await asked.stop()).toEqual({ is: 'asked', code: null, signal: 'SIGTERM' })
    expect(asked.isRunning).toBe(false)
    expect(await asked.stop()).toEqual(await asked.exited)
  })

  it('[PRC-4] kills the whole group of a child that ignores SIGTERM, within its grace', async () => {
    const script = 'trap "" TERM; sh -c \'trap "" TERM; sleep 60; sleep 60\' & echo up; while :; do sleep 60; done'
    const child = spawnChild({ name: 'stubborn', command: sh(script), env: {}, stdout: 'pipe', graceMs: 200, log: silentLog })
    await once(child.stdout ?? expect.fail('no stdout'), 'data')
    await until(() => groupOf(child.pid).length >= 4, { ms: 2_000, what: 'a group of four' })
    const start = performance.now()
    expect(await child.stop()).toMatchObject({ is: 'asked', signal: 'SIGKILL' })
    expect(performance.now() - start).toBeLessThan(1_000)
    expect(groupOf(child.pid)).toEqual([])
  })

  it('[PRC-5] leaves nothing of a child that died by itself', async () => {
    const child = spawnChild({ name: 'parent', command: sh('sleep 60 & sleep 60 & exit 0'), env: {}, log: silentLog })
    await child.exited
    await child.gone
    expect(groupOf(child.pid)).toEqual([])
  })

  it('[PRC-6] gives two-way pipes at descriptors 3 and up', async () => {
    const child = spawnChild({ name: 'echo', command: sh('cat <&4 >&3'), env: {}, extraPipes: 2, log: silentLog })
    const [out, into] = child.pipes
    into?.end('hello')
    const [said] = await once(out ?? expect.fail('no pipe'), 'data')
    expect(String(said)).toBe('hello')
    await child.exited
    // Writing to a child that has gone is not an error of ours.
    out?.write('late')
  })

  it('[PRC-7] names the missing program and the package that brings it', () => {
    const missing = (): unknown =>
      spawnChild({ name: 'x', command: ['no-such-program'], env: {}, log: silentLog, aptPackage: 'such-package' })
    expect(missing).toThrow(NekoError)
    expect(missing).toThrow('the program no-such-program is missing; install it with: apt-get install such-package')
  })

  it('[PRC-8] runs as the user it was given, without capabilities or groups', async () => {
    const identity = roomUser()
    const child = spawnChild({
      name: 'user',
      command: ['cat', '/proc/self/status'],
      env: {},
      stdout: 'pipe',
      log: silentLog,
      ...(identity && { identity }),
    })
    const status = await text(child.stdout ?? expect.fail('no stdout'))
    const uid = identity?.uid ?? process.getuid?.()
    expect(status).toMatch(new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'))
    expect(status).toMatch(/^CapEff:\s+0+$/m)
    if (identity !== undefined) {
      expect(status).toMatch(/^Groups:\s*$/m)
      expect(status).toMatch(/^CapBnd:\s+0+$/m)
    }
  })

  it.each(['the same user', 'a user of its own'])('[PRC-9] never outlives its parent, as %s', async (whose) => {
    const identity = whose === 'the same user' ? undefined : roomUser()
    const source = new URL('../src/child.ts', import.meta.url).href
    const script = `
      const { spawnChild } = await import(${JSON.stringify(source)})
      const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
      const child = spawnChild({ name: 'orphan', command: ['sleep', '60'], env: {}, log, ${identity ? `identity: ${JSON.stringify(identity)}` : ''} })
      console.log(child.pid)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(parent.stdout, 'data')
    const pid = Number(String(line))
    // Until setpriv has become the program: from then on the kernel's promise holds.
    await until(async () => (await readFile(`/proc/${pid}/cmdline`, 'utf8')).startsWith('/usr/bin/sleep'), { ms: 2_000, what: 'sleep' })
    parent.kill('SIGKILL')
    await until(async () => !(await isAlive(pid)), { ms: 2_000, what: 'end of the orphan' })
    expect(await processesThat((_status, id) => id === pid)).toEqual([])
  })
})
