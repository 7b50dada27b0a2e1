import { mkdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '@neko-edge/config'
import { type Log, type NodeId, newInstanceId, type RoomId, systemClock } from '@neko-edge/kit'
import { Bus, connect, keepLease, Room } from '@neko-edge/store'
import { GstInstallation } from './capture/gst-installation.ts'
import { checkPipelines } from './capture/pipeline-check.ts'
import { announcedBy } from './public-address.ts'
import type { NodeRoomOptions } from './room/node-room.ts'
import { captureOptions, sfuOptions } from './room/room-config.ts'
import { RoomRuns } from './room/room-runs.ts'
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

/** Runs a capture node until it is closed: it claims its room, and runs it for as long as it has it. */
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
  // A node of another role has a worker, and no room of its own.
  if (hasRooms) {
    const room = opening.use(await Room.open('default' as RoomId, { connection, log }))
    opening.use(
      await RoomRuns.open({
        room,
        bus,
        sfu,
        gst,
        config,
        node,
        instance,
        runFolder: join(runFolder, 'room'),
        identity: roomIdentity(config),
        hidden: [programFolder, dataFolder],
        clock,
        log: log.child({ room: room.id }),
      }),
    )
  }
  return opening.move()
}

/** Where the node is root, the room runs as a user of its own, whose number nobody else has. */
function roomIdentity(config: Config): NodeRoomOptions['identity'] {
  const uid = config.desktop.uidBase
  return process.getuid?.() === 0 ? { uid, gid: uid } : undefined
}
