import { describe, expect, it } from 'vitest'
import { Backoff, createLog, errorStatus, Listeners, NekoError, randomText, SerialQueue, until, within } from './index.ts'

describe('what everything stands on', () => {
  it('[KIT-1] waits twice as long after each failure, up to a bound, and begins anew after a steady run', () => {
    const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, steadyMs: 5_000 })
    expect([0, 0, 0, 0, 0, 0].map((lived) => backoff.next(lived))).toEqual([100, 200, 400, 800, 1_000, 1_000])
    expect(backoff.next(6_000)).toBe(100)
    expect(backoff.failures).toBe(1)
  })

  it('[KIT-2] runs tasks in their order; one that fails fails its caller alone', async () => {
    const queue = new SerialQueue()
    const order: number[] = []
    const first = queue.run(async () => {
      await Promise.resolve()
      order.push(1)
    })
    const broken = queue.run(() => Promise.reject(new Error('broken')))
    const last = queue.run(() => order.push(2))
    await expect(broken).rejects.toThrow('broken')
    await Promise.all([first, last])
    expect(order).toEqual([1, 2])
  })

  it('[KIT-3] bounds every wait, and says what was waited for', async () => {
    await expect(within(5, 'the moon', new Promise(() => undefined))).rejects.toMatchObject({
      code: 'timeout',
      message: 'the moon took longer than 5 ms',
    })
    await expect(until(() => false, { ms: 5, what: 'the moon', everyMs: 1 })).rejects.toMatchObject({ code: 'timeout' })
    await expect(until(() => 'sun', { ms: 5, what: 'the sun' })).resolves.toBe('sun')
  })

  it('[KIT-4] tells every listener, and stops telling those who stopped', () => {
    const listeners = new Listeners<number>()
    const heard: number[] = []
    const listen = (value: number) => heard.push(value)
    const stop = listeners.add(listen)
    listeners.add(listen)
    listeners.emit(1)
    stop()
    listeners.emit(2)
    expect(heard).toEqual([1, 1, 2])
    expect(listeners.size).toBe(1)
  })

  it('[KIT-5] gives every error the status of its code', () => {
    for (const [code, status] of Object.entries(errorStatus)) {
      expect(new NekoError(code as keyof typeof errorStatus, 'x').status).toBe(status)
    }
  })

  it('[KIT-6] makes ids of the characters and the length that clients know', () => {
    const ids = Array.from({ length: 200 }, () => randomText(64))
    expect(new Set(ids).size).toBe(200)
    expect(ids.every((id) => /^[\w-]{64}$/.test(id))).toBe(true)
  })

  it('[KIT-7] hands bound fields to every line of a child log', () => {
    const lines: unknown[] = []
    const log = createLog((level, fields, message) => lines.push([level, fields, message])).child({ room: 'a' })
    log.warn({ session: 'b' }, 'odd')
    expect(lines).toEqual([['warn', { room: 'a', session: 'b' }, 'odd']])
  })
})
