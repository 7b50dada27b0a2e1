import { access } from 'node:fs/promises'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { within } from '@neko-edge/kit'
import { expect, test } from 'vitest'
import { isRunning, tempRedis } from '../src/index.ts'

async function ask(path: string, command: string): Promise<string> {
  const socket = connect(path)
  socket.end(`${command}\r\nQUIT\r\n`)
  return text(socket)
}

test('[TST-6] a Redis of its own answers on its socket, and leaves nothing behind', async () => {
  const redis = await tempRedis()
  const { path, pid = 0 } = redis
  expect(await ask(path, 'SET a 1')).toContain('+OK')
  await redis[Symbol.asyncDispose]()
  expect(await isRunning(pid)).toBe(false)
  await expect(access(path)).rejects.toThrow('ENOENT')
})

test('[TST-6] killed and started again it has its data; restarted empty it has none', async () => {
  await using redis = await tempRedis()
  await ask(redis.path, 'SET a 1')
  await redis.kill()
  await expect(ask(redis.path, 'GET a')).rejects.toThrow()
  await redis.start()
  expect(await ask(redis.path, 'GET a')).toContain('1')
  await redis.restartEmpty()
  expect(await ask(redis.path, 'EXISTS a')).toContain(':0')
})

test('[TST-6] paused it answers nobody, and goes on where it was', async () => {
  await using redis = await tempRedis()
  redis.pause()
  const answer = ask(redis.path, 'PING')
  await expect(within(50, 'an answer', answer)).rejects.toThrow('longer than 50 ms')
  redis.resume()
  expect(await answer).toContain('+PONG')
})
