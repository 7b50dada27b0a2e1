import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freeTcpPort, TcpRelay } from '../src/index.ts'

test('[TST-8] a relay passes bytes both ways, and cut resets both ends', async () => {
  const port = await freeTcpPort()
  const ended: string[] = []
  const echo = createServer((socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => void ended.push(error.code ?? ''))
    socket.pipe(socket)
  })
  echo.listen(port, '127.0.0.1')
  await once(echo, 'listening')
  try {
    await using relay = await TcpRelay.open({ host: '127.0.0.1', port })
    const client = connect(relay.port, '127.0.0.1')
    client.write('hello')
    expect(String((await once(client, 'data'))[0])).toBe('hello')
    const failure = once(client, 'error')
    relay.cut()
    expect((await failure)[0]).toMatchObject({ code: 'ECONNRESET' })
  } finally {
    echo.close()
    await once(echo, 'close')
  }
  expect(ended).toEqual(['ECONNRESET'])
})

test('[TST-1790] a relay with several targets takes them in turn, and passes over one that is gone', async () => {
  const servers = ['a', 'b'].map((name) => createServer((socket) => socket.end(name)).listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const targets = servers.map((server) => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }))
  await using relay = await TcpRelay.open(...targets)
  const answer = async () => String((await once(connect(relay.port, '127.0.0.1'), 'data'))[0])
  expect([await answer(), await answer(), await answer()]).toEqual(['a', 'b', 'a'])
  servers[1]?.close()
  expect([await answer(), await answer()]).toEqual(['a', 'a'])
  servers[0]?.close()
})

test('[TST-1501] while a relay is held nothing passes and nobody is told; then all of it does, for new connections too', async () => {
  // The relay ends with a reset.
  const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  await using relay = await TcpRelay.open({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port })
  const before = connect(relay.port, '127.0.0.1')
  await once(before, 'connect')
  relay.hold()
  const during = connect(relay.port, '127.0.0.1')
  const heard: string[] = []
  for (const [name, client] of Object.entries({ before, during })) {
    client.on('data', (data) => void heard.push(`${name} ${data}`))
    client.write('hello')
  }
  // What goes past the relay is back long before: nothing came through it meanwhile.
  const direct = connect((echo.address() as AddressInfo).port, '127.0.0.1')
  direct.write('direct')
  await once(direct, 'data')
  expect([heard, before.destroyed, during.destroyed]).toEqual([[], false, false])
  relay.release()
  await Promise.all([before, during].map((client) => once(client, 'data')))
  expect(heard.toSorted()).toEqual(['before hello', 'during hello'])
  for (const client of [before, during, direct]) {
    client.destroy()
  }
  echo.close()
})
