import { delay, until } from '@neko-edge/kit'
import { type TcpRelay, v3Input } from '@neko-edge/testing'
import { V3Viewer } from '@neko-edge/testing/viewer'
import { z } from 'zod'
import type { Fleet, FleetOptions } from '../e2e/fleet.ts'
import type { SteadyViewer } from './steady-viewer.ts'

/** A fleet under viewers, and the chance that picks who is struck. */
export interface Stage {
  readonly fleet: Fleet
  /** In front of the control planes, which viewers come through in turns. */
  readonly proxy: TcpRelay
  readonly viewers: readonly SteadyViewer[]
  readonly random: () => number
}

/** What one stroke brought besides what the viewers saw, in milliseconds or counted; each is summarised by its name. */
export type Findings = Readonly<Record<string, number>>

export interface FaultKind {
  /** What it does, in words. */
  readonly about: string
  readonly fleet: FleetOptions
  readonly viewers: number
  /** How long those whom it strikes may be without a picture; 0: nobody may. */
  readonly boundMs: number
  /** Makes the stage as it is to be before each stroke. */
  readonly prepare?: (stage: Stage) => Promise<void>
  /** Strikes, and waits for what it waits for; the viewers are waited for afterwards. */
  readonly strike: (stage: Stage) => Promise<Findings>
  readonly restore?: (stage: Stage) => Promise<void>
}

export const fleetToken = 'the-token-of-the-whole-fleet'

const small = {
  NEKO_ROOMS_API_TOKEN: fleetToken,
  NEKO_DESKTOP_APP: 'sleep infinity',
  NEKO_DESKTOP_SCREEN: '640x360@25',
  NEKO_CAPTURE_VIDEO_BITRATE: '500',
  NEKO_NODE_ADDRESS: '127.0.0.1',
}
const relay = { NEKO_NODE_ROLES: 'relay' }
const restartMs = 20_000

const Nodes = z.array(z.object({ id: z.string(), alive: z.boolean(), rooms: z.number(), viewers: z.number(), roles: z.array(z.string()) }))
const Room = z.object({ state: z.string(), node: z.string().optional() })

async function ask<T>({ fleet }: Pick<Stage, 'fleet'>, path: string, schema: z.ZodType<T>): Promise<T> {
  for (const url of fleet.urls) {
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${fleetToken}` } }).catch(() => undefined)
    if (response?.ok) {
      return schema.parse(await response.json())
    }
  }
  throw new Error(`no control plane answers ${path}`)
}
const nodes = (stage: Pick<Stage, 'fleet'>) => ask(stage, '/api/nodes', Nodes)
const indexOf = (node: string) => Number(node.slice('node-'.length))
/** The node that has the room. */
const holder = async (stage: Stage) => indexOf((await ask(stage, '/api/rooms/default', Room)).node ?? '')

export const areUp = (stage: Pick<Stage, 'fleet'>, count: number) =>
  until(async () => (await nodes(stage).catch(() => [])).filter(({ alive }) => alive).length === count, {
    ms: restartMs,
    what: `${count} nodes`,
  })

const pick = <T>(random: () => number, from: readonly T[]): T => {
  const picked = from[Math.floor(random() * from.length)]
  if (picked === undefined) {
    throw new Error('there is nobody to strike')
  }
  return picked
}

async function startAgain(stage: Stage, node: number, count: number): Promise<void> {
  stage.fleet.startNode(node)
  await areUp(stage, count)
}

/** How many viewers each media worker of the room's node has, as its metrics say. */
async function workerViewers({ fleet, viewers: [first] }: Stage): Promise<{ index: number; viewers: number }[]> {
  const headers = { authorization: `Bearer ${first?.viewer.session.token}` }
  const page = await (await fetch(`${fleet.url}/metrics`, { headers })).text()
  const found = [...page.matchAll(/^neko_edge_worker_viewers\{.*worker="(\d+)".*\} (\d+)$/gm)]
  return found.map(([, index, viewers]) => ({ index: Number(index), viewers: Number(viewers) }))
}

/** The control plane or node that was struck last. */
let struck = -1

/** Takes and gives the controls: what needs Redis, control plane and node together. Resolves when it went through. */
async function controlsWork({ viewers: [first] }: Stage): Promise<void> {
  const viewer = first?.viewer
  const goesThrough = async () => {
    if (viewer === undefined) {
      return true
    }
    try {
      await viewer.takeControl({ ms: 300 })
      await viewer.releaseControl({ ms: 2_000 })
      return true
    } catch {
      return false
    }
  }
  await until(goesThrough, { ms: 60_000, what: 'the controls', everyMs: 50 })
}

/** Redis goes away and comes back, after which everything works again in some time. */
async function withoutRedis(stage: Stage, { goneMs, leave, comeBack }: { goneMs: number; leave: () => unknown; comeBack: () => unknown }) {
  await controlsWork(stage)
  await leave()
  await delay(goneMs)
  await comeBack()
  const backAt = performance.now()
  await controlsWork(stage)
  return { worksAgainMs: performance.now() - backAt }
}

const redisStage = { fleet: { env: small, nodes: [{}] }, viewers: 4, boundMs: 0 } as const

/** Faults by name, each as the operator of a fleet would meet it. */
export const faultKinds: Readonly<Record<string, FaultKind>> = {
  worker: {
    about: 'kill -9 of one of two media workers of the node',
    // Load enough for one worker to be full, and the next viewers to go to the other.
    fleet: {
      env: {
        ...small,
        NEKO_DESKTOP_SCREEN: '1280x720@60',
        NEKO_CAPTURE_VIDEO_MAX_FPS: '60',
        NEKO_SFU_WORKERS: '2',
        NEKO_SFU_MAX_LOAD: '1',
      },
      controlPlanes: [{}],
    },
    viewers: 6,
    boundMs: 2_000,
    async prepare({ viewers }) {
      // Who asks anew goes to the worker with fewer viewers: both have some then.
      for (const viewer of viewers) {
        viewer.watchAnew()
        await delay(150)
      }
    },
    async strike(stage) {
      const busy = (await workerViewers(stage)).filter(({ viewers }) => viewers > 0)
      const { index } = pick(stage.random, busy)
      const run = [...stage.fleet.log.matchAll(/media worker started.* pid=(\d+) index=(\d+)/g)].findLast(
        ([, , which]) => Number(which) === index,
      )
      process.kill(Number(run?.[1]), 'SIGKILL')
      return {}
    },
    async restore({ fleet }) {
      const count = async () => (await fleet.nodeProcesses()).filter(({ line }) => line.includes('mediasoup-worker')).length
      await until(async () => (await count()) === 2, { ms: restartMs, what: 'both workers' })
    },
  },
  relay: {
    about: 'kill -9 of one of three relays, each fed by the one before',
    fleet: {
      env: { ...small, NEKO_NODE_FAN_OUT: '1', NEKO_NODE_MAX_VIEWERS: '2' },
      controlPlanes: [{}],
      nodes: [{ NEKO_NODE_MAX_VIEWERS: '1' }, relay, relay, { ...relay, NEKO_NODE_MAX_VIEWERS: '4' }],
    },
    viewers: 5,
    boundMs: 3_000,
    async strike(stage) {
      const busy = (await nodes(stage)).filter(({ roles, viewers }) => roles.includes('relay') && viewers > 0)
      struck = indexOf(pick(stage.random, busy).id)
      await stage.fleet.killNode(struck)
      return {}
    },
    restore: (stage) => startAgain(stage, struck, 4),
  },
  node: {
    about: 'kill -9 of the capture node that has the room, with another one free',
    fleet: { env: small, nodes: [{}, {}] },
    viewers: 4,
    boundMs: 8_000,
    async strike(stage) {
      struck = await holder(stage)
      await stage.fleet.killNode(struck)
      return {}
    },
    restore: (stage) => startAgain(stage, struck, 2),
  },
  'control-plane': {
    about: 'kill -9 of one of two control planes behind a proxy: sockets are lost, pictures are not',
    fleet: { env: small },
    viewers: 6,
    boundMs: 0,
    async prepare({ viewers }) {
      // Through the proxy in turns: each control plane has some of them.
      for (const { viewer } of viewers) {
        await viewer.reconnect()
        await viewer.event('system/init')
      }
    },
    async strike({ fleet, random, viewers }) {
      struck = pick(random, [0, 1])
      await fleet.killControlPlane(struck)
      await until(() => viewers.some(({ lived }) => lived.backMs !== undefined), { ms: 15_000, what: 'a viewer who comes back' })
      return {}
    },
    async restore({ fleet }) {
      fleet.startControlPlane(struck)
      const isUp = () =>
        fetch(`${fleet.urls[struck]}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        )
      await until(isUp, { ms: restartMs, what: 'the control plane' })
    },
  },
  'redis-kill': {
    about: 'kill -9 of Redis, started again with its data after 0 to 3 s',
    ...redisStage,
    strike: (stage) =>
      withoutRedis(stage, {
        goneMs: 3_000 * stage.random(),
        leave: () => stage.fleet.redis.kill(),
        comeBack: () => stage.fleet.redis.start(),
      }),
  },
  'redis-pause': {
    about: 'SIGSTOP of Redis for 30 s',
    ...redisStage,
    strike: (stage) =>
      withoutRedis(stage, { goneMs: 30_000, leave: () => stage.fleet.redis.pause(), comeBack: () => stage.fleet.redis.resume() }),
  },
  'redis-empty': {
    about: 'kill -9 of Redis, started again at once without its data',
    ...redisStage,
    strike: (stage) => withoutRedis(stage, { goneMs: 0, leave: () => undefined, comeBack: () => stage.fleet.redis.restartEmpty() }),
  },
  'node-stop': {
    about:
      'SIGSTOP of the capture node that has the room for 10 s, with another one free; two who stay with the old one see and move nothing there when it wakes up',
    fleet: { env: small, nodes: [{}, {}] },
    viewers: 3,
    boundMs: 8_000,
    async strike(stage) {
      const { fleet, proxy } = stage
      await using host = await stayer(proxy.url, 'host')
      await using guest = await stayer(proxy.url, 'guest')
      await host.viewer.takeControl()
      struck = await holder(stage)
      fleet.pauseNode(struck)
      const stoppedAt = performance.now()
      await until(async () => (await holder(stage)) !== struck, { ms: 10_000, what: 'another node' })
      const noticedMs = performance.now() - stoppedAt
      host.peer.send(v3Input.move(77, 77))
      await delay(10_000 - (performance.now() - stoppedAt))
      const before = guest.peer.video.packets
      fleet.resumeNode(struck)
      const isEmpty = async () => !(await fleet.nodeCommands(struck)).some((line) => line.includes('Xorg'))
      await until(isEmpty, { ms: 15_000, what: 'the end of the room on the old node' })
      const wasMoved = await guest.peer.messages
        .take((message) => message.kind === 'position' && message.x === 77, { ms: 1, what: '' })
        .then(
          () => 1,
          () => 0,
        )
      host.viewer.send('control/release')
      return { noticedMs, stalePackets: guest.peer.video.packets - before, staleInputs: wasMoved }
    },
    restore: (stage) => areUp(stage, 2).then(() => undefined),
  },
}

/** Somebody who takes no new peer. */
async function stayer(url: string, username: string) {
  const viewer = await V3Viewer.open({ url, username, password: 'admin', frames: false })
  await viewer.watch()
  const { peer } = viewer
  await peer.channelOpen()
  await until(() => peer.video.packets > 5, { ms: 10_000, what: 'a picture' })
  return { viewer, peer, [Symbol.asyncDispose]: () => viewer.logout().then(() => viewer.close()) }
}
