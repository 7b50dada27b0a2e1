import { execFileSync } from 'node:child_process'
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@neko-edge/config'
import { type InstanceId, type RoomId, silentLog, until } from '@neko-edge/kit'
import { baseProfile } from '@neko-edge/protocol'
import { Bus, connect, createSession, Fleet, nodeChannel, Room } from '@neko-edge/store'
import { commandLineOf, freeUdpPort, processTree, TempRedis } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { workerBinary } from '../../../../infra/worker/locate.ts'
import { startCaptureNode } from '../../src/main.ts'

const firstUid = 300_000 + 10 * (process.pid % 10_000)

/** A capture node of its own Redis, and its fleet seen from aside. */
async function world(owned: AsyncDisposableStack, env: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'neko-rooms-'))
  owned.defer(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, 0o755)
  const redis = owned.use(await TempRedis.open())
  const connection = owned.use(await connect({ url: redis.url, log: silentLog }))
  const fleet = owned.use(await Fleet.open(connection, { log: silentLog }))
  const dataFolder = join(tmpdir(), 'neko-http-data')
  await mkdir(dataFolder, { recursive: true })
  const { config } = loadConfig({
    argv: [],
    env: {
      NEKO_DESKTOP_APP: 'sleep infinity',
      NEKO_WEBRTC_UDPMUX: String(await freeUdpPort()),
      NEKO_WEBRTC_NAT1TO1: '127.0.0.1',
      NEKO_NODE_ID: 'a-node',
      NEKO_DESKTOP_UID_BASE: String(firstUid),
      ...env,
    },
    cwd: '/',
  })
  const runFolder = join(folder, 'run')
  const node = await startCaptureNode({
    config,
    redisUrl: redis.url,
    runFolder,
    dataFolder,
    workerBin: workerBinary() ?? '',
    log: silentLog,
  })
  const create = (id: string, options: Record<string, unknown> = {}) =>
    fleet.create({ id, spec: { label: '', config: options }, endsInMs: 0, warningMs: 0 })
  const state = (id: string, wanted: string) =>
    until(async () => (await fleet.find(id))?.record.state === wanted, { ms: 15_000, what: `${id} is ${wanted}` })
  return { connection, fleet, node, runFolder, dataFolder, create, state }
}

const settings = {
  ...{ private_mode: false, locked_logins: false, locked_controls: false, control_protection: false, implicit_hosting: false },
  ...{ inactive_cursors: false, merciful_reconnect: true, heartbeat_interval: 10, plugins: null },
}

/** The sockets of the X servers that are there, each with the moment of its birth: a number that is free again may be another's the next moment. */
async function displays(): Promise<string[]> {
  const folder = '/tmp/.X11-unix'
  const names = await readdir(folder).catch(() => [])
  const born = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)))
  return names.map((name, index) => `${name} ${born[index]?.ctimeMs}`)
}

/** The displays of this process's own applications. */
async function ownDisplays(): Promise<string[]> {
  const environments = (await processTree(process.pid)).map(({ pid }) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''))
  const numbers = new Set((await Promise.all(environments)).map((text) => /(?:^|\0)DISPLAY=:(\d+)/.exec(text)?.[1]))
  return (await displays()).filter((display) => numbers.has(/\d+/.exec(display)?.[0]))
}

describe('a capture node with many rooms', () => {
  it('[FLEET-1651] says what it takes, runs so many rooms apart, and cleans up after each', async () => {
    await using owned = new AsyncDisposableStack()
    const { fleet, node, create, state, runFolder, dataFolder, connection } = await world(owned, {
      NEKO_NODE_MAX_ROOMS: '3',
      NEKO_NODE_MAX_LOAD: '100',
      NEKO_FILETRANSFER_ENABLED: 'true',
      NEKO_FILETRANSFER_DIR: join(tmpdir(), `neko-rooms-files-${process.pid}`),
    })
    owned.defer(() => rm(join(tmpdir(), `neko-rooms-files-${process.pid}`), { recursive: true, force: true }))
    expect(await fleet.nodes()).toMatchObject([{ id: 'a-node', rooms: 1, maxRooms: 3, maxLoad: 100, cores: expect.any(Number) }])
    const before = await ownDisplays()
    await create('one', { 'desktop.app': 'sleep 4711' })
    await create('two')
    await Promise.all([state('one', 'running'), state('two', 'running')])
    expect(await create('three')).toEqual({ is: 'full', why: 'no capture node has a place: a-node has 3 of 3 rooms' })
    const opened = (await ownDisplays()).filter((display) => !before.includes(display))
    expect(opened).toHaveLength(2)
    expect((await readdir(runFolder)).toSorted()).toEqual(['room', 'room-1', 'room-2'])
    await access(join(dataFolder, 'rooms', 'one'))
    if (process.getuid?.() === 0) {
      const users = new Set(execFileSync('ps', ['-eo', 'uid='], { encoding: 'utf8' }).split('\n').map(Number))
      expect([0, 1, 2].filter((index) => users.has(firstUid + index))).toHaveLength(3)
    }
    await Promise.all([fleet.end('one', 'asked'), fleet.end('two', 'asked')])
    await Promise.all([state('one', 'ended'), state('two', 'ended')])
    const left = await displays()
    expect(opened.filter((display) => left.includes(display))).toEqual([])
    expect(await readdir(runFolder)).toEqual(['room'])
    await expect(access(join(dataFolder, 'rooms', 'one'))).rejects.toThrow()
    const commands = await Promise.all((await processTree(process.pid)).map(({ pid }) => commandLineOf(pid)))
    expect(commands.filter((line) => /room-[12]|sleep 4711/.test(line))).toEqual([])
    expect((await connection.commands.keys('neko:{room:one}:*')).filter((key) => !key.endsWith(':room'))).toEqual([])
    await node[Symbol.asyncDispose]()
  }, 40_000)

  it('[FLEET-1652] that is stopped ends its rooms where node.on_stop says so, but never the room default', async () => {
    await using owned = new AsyncDisposableStack()
    const { fleet, node, create, state } = await world(owned, { NEKO_NODE_ON_STOP: 'end', NEKO_NODE_MAX_ROOMS: '2' })
    await create('one')
    await state('one', 'running')
    await node[Symbol.asyncDispose]()
    expect((await fleet.find('one'))?.record).toMatchObject({ state: 'ended', reason: 'node stopped' })
    expect((await fleet.find('default'))?.record).toMatchObject({ state: 'created' })
  }, 30_000)

  it('[FLEET-1654] with as many viewers as it takes refuses the next one with the reason, and says so to who would come', async () => {
    await using owned = new AsyncDisposableStack()
    const { node, connection } = await world(owned, { NEKO_NODE_MAX_VIEWERS: '1' })
    const room = owned.use(await Room.open('default' as RoomId, { connection, log: silentLog, defaults: { settings, locks: [] } }))
    const bus = owned.use(await Bus.open(connection, { instance: 'a-plane' as InstanceId, log: silentLog }))
    const open = async (name: string) => {
      await room.run(createSession, [name, JSON.stringify(baseProfile({ granted: true, name })), `hash of ${name}`, '127.0.0.1'])
      return bus.call(nodeChannel('default'), 'peer.open', { args: { session: name, kind: 'v3', video: {}, audio: {} }, ms: 10_000 })
    }
    expect(await open('ann')).toMatchObject({ sdp: expect.stringContaining('v=0') })
    await expect(open('bob')).rejects.toThrow('this machine has 1 of 1 viewers')
    await until(() => room.view.node?.facts?.full === true, { ms: 3_000, what: 'the word that it is full' })
    // Who watches already may ask anew.
    expect(await open('ann')).toMatchObject({ sdp: expect.stringContaining('v=0') })
    await node[Symbol.asyncDispose]()
  }, 30_000)

  it('[FLEET-1653] a room that can not start says why, and takes nothing else down', async () => {
    await using owned = new AsyncDisposableStack()
    const { fleet, node, create, state } = await world(owned, { NEKO_NODE_MAX_ROOMS: '2' })
    await create('one', { 'capture.video.pipeline': 'nosuchelement ! appsink name=appsink' })
    await state('one', 'ended')
    expect((await fleet.find('one'))?.record.reason).toContain('nosuchelement')
    expect((await fleet.find('default'))?.record.state).toBe('running')
    await node[Symbol.asyncDispose]()
  }, 60_000)
})
