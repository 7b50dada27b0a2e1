import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type InstanceId, NekoError, silentLog, until } from '@neko-edge/kit'
import { freeTcpPort, redisCommand } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { Bus, connect, findToken, scriptUse, takeControl } from '../src/index.ts'
import { Deployment } from './deployment.ts'
import { enter, user, World } from './world.ts'

const failoverMs = 20_000

/** The host changes hands in the first process, and the second hears it; as soon as Redis takes it, and has back what a replica had not had. */
async function takes(world: World, name: string): Promise<void> {
  const taken = async () => {
    try {
      return (await world.room(0).run(takeControl, [name])) === 'taken'
    } catch (error) {
      expect(error).toBeInstanceOf(NekoError)
      return false
    }
  }
  await until(taken, { ms: failoverMs, what: `${name} to take the controls` })
  await until(() => world.rooms.every(({ view }) => view.host === name), { ms: 5_000, what: 'all to hear it' })
}

describe('Redis as it is deployed', () => {
  it('[RED-20] sentinels name the master; where it dies the replica takes over, facts stand and the fence grows', async () => {
    await using redis = await Deployment.open()
    const { master, sentinel } = await redis.startSentinel()
    await using world = await World.open({ url: `redis+sentinel://127.0.0.1:${sentinel}/0?master=room`, processes: 2 })
    await enter(world.room(0), user('ann'))
    await enter(world.room(0), user('bob'))
    await takes(world, 'ann')
    const { fence } = world.room(1).view
    await redis.kill(master)
    await takes(world, 'bob')
    expect(world.room(1).view.fence).toBeGreaterThan(fence)
    // What it hears and what it asks go two ways: the second may come later.
    await until(() => world.connections[1]?.isUp(), { ms: failoverMs, what: 'the second process to ask again' })
    expect(await world.room(1).run(findToken, ['token of ann'])).toBe('ann')
  })

  it('[RED-21] a cluster: scripts, events and calls work from any process; the death of the master that has the room is got over', async () => {
    await using redis = await Deployment.open()
    const ports = await redis.startCluster()
    const [, , third = 0] = ports
    await using world = await World.open({ url: `redis+cluster://127.0.0.1:${third}`, processes: 2 })
    const [first, second] = world.connections
    if (!first || !second) {
      throw new Error('two processes have two connections')
    }
    await enter(world.room(0), user('ann'))
    await enter(world.room(1), user('bob'))
    await takes(world, 'ann')
    await using asking = await Bus.open(first, { instance: 'one' as InstanceId, log: silentLog })
    await using answering = await Bus.open(second, { instance: 'two' as InstanceId, log: silentLog })
    await answering.serve('neko:{room:default}:calls', (name) => `${name} heard`)
    expect(await asking.call('neko:{room:default}:calls', 'ping', { args: {} })).toBe('ping heard')
    expect((await scriptUse(first)).calls).toBeGreaterThan(4)
    await redis.kill(await masterOf('{room:default}', ports))
    await takes(world, 'bob')
    expect(await world.room(1).run(findToken, ['token of ann'])).toBe('ann')
    await until(async () => (await asking.call('neko:{room:default}:calls', 'ping', { args: {} }).catch(() => '')) === 'ping heard', {
      ms: failoverMs,
      what: 'calls between the processes',
    })
  })

  it('[RED-22] TLS with an authority of its own, and a user that the access list lets near our keys alone', async () => {
    await using redis = await Deployment.open()
    const [cert, key] = ['redis.crt', 'redis.key'].map((name) => join(redis.folder, name)) as [string, string]
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=redis']
    execFileSync('openssl', ['req', '-x509', ...kind, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    })
    const tlsPort = await freeTcpPort()
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert, '--tls-auth-clients', 'no']
    const acl = ['--user', 'neko', 'on', '>p@ss', '~neko:*', '&neko:*', '+@all', '-@dangerous', '+info']
    await redis.start('--tls-port', String(tlsPort), ...files, ...acl)
    const url = (password: string, parameters: string) => `rediss://neko:${password}@127.0.0.1:${tlsPort}/0${parameters}`
    await using world = await World.open({ url: url('p%40ss', `?ca=${cert}`), processes: 2 })
    await enter(world.room(0), user('ann'))
    await takes(world, 'ann')
    await expect(connect({ url: url('p%40ss', ''), log: silentLog })).rejects.toThrow(
      `Redis at rediss://127.0.0.1:${tlsPort}/0 does not answer`,
    )
    await expect(connect({ url: url('wrong', `?ca=${cert}`), log: silentLog })).rejects.toMatchObject({ code: 'unavailable' })
    await expect(connect({ url: url('p%40ss', '?ca=/none'), log: silentLog })).rejects.toMatchObject({ code: 'invalid' })
  })
})

/** The port of the cluster's server that has the slot of a key. */
async function masterOf(key: string, ports: readonly number[]): Promise<number> {
  for (const port of ports) {
    const answer = await redisCommand({ port }, `GET ${key}`)
    const isReplica = (await redisCommand({ port }, 'ROLE')).includes('slave')
    if (!isReplica && !answer.startsWith('-MOVED')) {
      return port
    }
  }
  throw new Error(`no server of the cluster has ${key}`)
}
