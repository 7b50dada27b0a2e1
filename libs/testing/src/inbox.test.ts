import { NekoError } from '@neko-edge/kit'
import { expect, test } from 'vitest'
import { Inbox } from './inbox.ts'

const any = { ms: 1_000, what: 'an item' }

test('[TST-1] an item is taken once, whether it came before or after the question', async () => {
  const inbox = new Inbox<number>(String)
  inbox.push(1)
  inbox.push(2)
  expect(await inbox.take((item) => item > 1, any)).toBe(2)
  const later = inbox.take((item) => item > 1, any)
  inbox.push(3)
  expect(await later).toBe(3)
  expect(inbox.peek()).toEqual([1])
})

test('[TST-1] a time-out names what was wanted and what came instead', async () => {
  const inbox = new Inbox<string>(String)
  inbox.push('system/init')
  const wait = inbox.take((item) => item === 'control/host', { ms: 1, what: 'control/host' })
  await expect(wait).rejects.toThrow(/control\/host.*system\/init/)
})

test('[TST-1] when it ends, whoever waits is told, and what is here can still be taken', async () => {
  const inbox = new Inbox<string>(String)
  inbox.push('kept')
  const wait = inbox.take((item) => item === 'other', any)
  inbox.end(new NekoError('unavailable', 'gone'))
  await expect(wait).rejects.toThrow('gone')
  expect(await inbox.take(() => true, any)).toBe('kept')
  await expect(inbox.take(() => true, any)).rejects.toThrow('gone')
})
