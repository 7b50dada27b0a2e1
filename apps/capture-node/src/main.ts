import { mkdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '@neko-edge/config'
import { type Log, type NodeId, newInstanceId, systemClock } from '@neko-edge/kit'
import { Bus, connect, Fleet, keepLease } from '@neko-edge/store'
import { GstInstallation } from './capture/gst-installation.ts'
import { checkPipelines } from './capture/pipeline-check.ts'
import { NodeRooms } from './node/node-rooms.ts'
import { PauseWatch } from './node/pause-watch.ts'
import { Places } from './node/place.ts'
import { announcedBy } from './public-address.ts'
import { NodeRelays } from './relay/node-relays.ts'
import { captureOptions, sfuOptions } from './room/room-config.ts'
import { openMediasoupSfu } from './sfu/mediasoup-sfu.ts'

export interface CaptureNodeOptions {
  readonly config: Config
  readonly redisUrl: string
  /** For what may be lost with the process, such as sockets of X and PulseAudio; the rooms' users can enter it. */
  readonly runFolder: string
  /** For what is kept. */
  readonly dataFolder: string
  readonly workerBin: string
  readonly log: Log
}

/** The folder that holds this program: nothing of it is the application's business. */
const programFolder = fileURLToPath(new URL('../../..', import.meta.url))

/** Runs a capture node until it is closed: it runs the rooms that the fleet gives it. */
export async function startCaptureNode({
  config,
  redisUrl,
  runFolder,
  dataFolder,
  workerBin,
  log,
}: CaptureNodeOptions): Promise<AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const clock = systemClock
  const connection = opening.use(await connect({ url: redisUrl, log }))
  const instance = newInstanceId()
  const node = (config.node.id === '' ? hostname() : config.node.id) as NodeId
  opening.use(await keepLease(connection, { instance, clock, log }))
  const bus = opening.use(await Bus.open(connection, { instance, log }))
  await mkdir(runFolder, { recursive: true, mode: 0o755 })
  opening.defer(() => rm(runFolder, { recursive: true, force: true }))
  const gst = await GstInstallation.open(join(dataFolder, 'gstreamer'))
  const hasRooms = config.node.roles.includes('capture')
  if (hasRooms) {
    await checkPipelines({ options: captureOptions(config), gst, screen: config.desktop.screen, log })
  }
  const sfu = opening.use(
    await openMediasoupSfu({ workerBin, ...sfuOptions(config), announced: await announcedBy(config, log), log, clock }),
  )
  const fleet = opening.use(await Fleet.open(connection, { log }))
  const { roles, maxViewers, fanOut: width } = config.node
  const relays = opening.use(
    await NodeRelays.open({ connection, bus, sfu, node, isRelay: roles.includes('relay'), maxViewers, clock, log }),
  )
  opening.use(
    await NodeRooms.open({
      relaying: {
        ...{ own: relays, fleet, width },
        publish: (channel, text) => connection.publish(channel, text),
        isReachable: () => connection.isUp(),
      },
      ...{ connection, fleet, bus, sfu, gst, config, node, instance, dataFolder, clock, log },
      pauses: opening.use(new PauseWatch(clock)),
      places: new Places({ runFolder, uidBase: config.desktop.uidBase }),
      hidden: [programFolder, dataFolder],
    }),
  )
  return opening.move()
}
