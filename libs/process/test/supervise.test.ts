import { readFile } from 'node:fs/promises'
import { Backoff, NekoError, silentLog, systemClock, until } from '@neko-edge/kit'
import { isAlive, tempFolder } from '@neko-edge/testing/process'
import { describe, expect, it } from 'vitest'
import { type Child, spawnChild } from '../src/child.ts'
import { Supervised } from '../src/supervise.ts'

const run = (script: string): Child =>
  spawnChild({ name: 'part', command: ['/bin/sh', '-c', script], env: {}, graceMs: 300, log: silentLog })
const quick = { name: 'part', clock: systemClock, log: silentLog } as const

describe('Supervised', () => {
  it('[PRC-12] starts again what was killed, and tells of both', async () => {
    await using part = await Supervised.start({ ...quick, spawn: () => run('sleep 60'), backoff: new Backoff({ firstMs: 20 }) })
    const told: string[] = []
    part.onDown((reason) => told.push(reason))
    part.onUp(() => told.push('up'))
    const first = part.pid ?? expect.fail('not up')
    process.kill(first, 'SIGKILL')
    await until(() => part.isUp && part.pid !== first, { ms: 3_000, what: 'second run' })
    expect(told).toEqual(['part ended with SIGKILL', 'up'])
    expect(await isAlive(first)).toBe(false)
  })

  it('[PRC-13] waits longer after each failure in a row', async () => {
    const starts: number[] = []
    const spawn = (): Child => {
      starts.push(performance.now())
      return run('exit 1')
    }
    await using part = Supervised.keep({ ...quick, spawn, backoff: new Backoff({ firstMs: 50, maxMs: 200 }) })
    await until(() => starts.length >= 5, { ms: 5_000, what: 'five starts' })
    const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0))
    expect(gaps[0]).toBeGreaterThanOrEqual(49)
    expect(gaps[1]).toBeGreaterThanOrEqual(99)
    expect(gaps[2]).toBeGreaterThanOrEqual(199)
    expect(part.life.is).not.toBe('stopped')
  })

  it('[PRC-14] fails a first start that ends, throws or is not ready in time, with nothing left', async () => {
    const ready = (): Promise<void> => new Promise(() => undefined)
    await expect(Supervised.start({ ...quick, spawn: () => run('exit 7'), ready })).rejects.toThrow('part ended with code 7')
    const missing = (): never => {
      throw new NekoError('unavailable', 'no such thing')
    }
    await expect(Supervised.start({ ...quick, spawn: missing })).rejects.toThrow('no such thing')
    let child: Child | undefined
    const spawn = (): Child => {
      child = run('sleep 60')
      return child
    }
    await expect(Supervised.start({ ...quick, spawn, ready, readyMs: 100 })).rejects.toThrow('start of part took longer than 100 ms')
    expect(child?.isRunning).toBe(false)
  })

  it('[PRC-15] stops for good: while running, while starting and while waiting', async () => {
    await using folder = await tempFolder()
    const marks = `${folder.path}/marks`
    const running = await Supervised.start({ ...quick, spawn: () => run(`echo x >>${marks}; sleep 60`) })
    const pid = running.pid ?? expect.fail('not up')
    await until(() => readFile(marks, 'utf8').catch(() => ''), { ms: 2_000, what: 'first run' })
    await running[Symbol.asyncDispose]()
    expect(await isAlive(pid)).toBe(false)
    expect(running.life).toEqual({ is: 'stopped' })

    const starting = Supervised.keep({ ...quick, spawn: () => run('sleep 60'), ready: () => new Promise(() => undefined) })
    await starting[Symbol.asyncDispose]()
    const waiting = Supervised.keep({ ...quick, spawn: () => run('exit 1'), backoff: new Backoff({ firstMs: 60_000, maxMs: 60_000 }) })
    await until(() => waiting.life.is === 'waiting', { ms: 2_000, what: 'wait' })
    const start = performance.now()
    await waiting[Symbol.asyncDispose]()
    expect(performance.now() - start).toBeLessThan(200)
    expect((await readFile(marks, 'utf8')).trim()).toBe('x')
  })
})
