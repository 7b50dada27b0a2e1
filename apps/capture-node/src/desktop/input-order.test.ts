import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Held, heldTooLongMs } from './held.ts'
import { InputOrder } from './input-order.ts'

test('[DSK-86] input goes out at once, and in its order where some of it waits, even for something that fails', async () => {
  const order = new InputOrder()
  const done: string[] = []
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  order.run(() => done.push('a'))
  expect(done).toEqual(['a'])
  order.run(() => {
    order.holdFor(first.promise)
    order.runNext(() => done.push('b'))
  })
  order.run(() => {
    done.push('c')
    order.holdFor(second.promise)
  })
  order.run(() => done.push('d'))
  expect(done).toEqual(['a'])
  first.reject(new Error('the X server is gone'))
  await first.promise.catch(() => undefined)
  await Promise.resolve()
  expect(done).toEqual(['a', 'b', 'c'])
  second.resolve()
  await order.idle()
  expect(done).toEqual(['a', 'b', 'c', 'd'])
})

test('[DSK-87] what is held: pressed once, overdue after ten seconds however often it is pressed, gone once taken', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ id: fc.integer({ min: 0, max: 5 }), isDown: fc.boolean(), waitMs: fc.nat(4_000) })), (steps) => {
      const held = new Held<number, number>()
      const model = new Map<number, number>()
      let now = 0
      for (const { id, isDown, waitMs } of steps) {
        now += waitMs
        if (!isDown) {
          expect(held.take(id) !== undefined).toBe(model.delete(id))
        } else if (!held.has(id)) {
          held.add(id, id, now)
          model.set(id, now)
        }
        const overdue = [...model].filter(([, since]) => now - since >= heldTooLongMs).map(([key]) => key)
        expect(held.overdue(now)).toEqual(overdue)
        expect(held.ids()).toEqual([...model.keys()].reverse())
      }
    }),
  )
})
