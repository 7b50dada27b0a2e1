import { z } from 'zod'

/** Where a room is in its life: it waits for a node, starts on one, runs there, is being stopped, is over. */
export const roomStates = ['created', 'starting', 'running', 'draining', 'ended'] as const
export type RoomState = (typeof roomStates)[number]

const RoomRecord = z.object({
  id: z.string(),
  state: z.enum(roomStates),
  /** The node that has it; absent while it waits for one. */
  node: z.string().optional(),
  /** Grows with every placement. */
  claim: z.number(),
  /** Grows with every change of its specification. */
  rev: z.number(),
  /** Runs that failed since the last good one. */
  attempts: z.number(),
  /** Times in milliseconds since 1970. */
  createdAt: z.number(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  /** When its absolute time-out ends it. */
  endsAt: z.number().optional(),
  /** Why it ended, is ending, or could not start. */
  reason: z.string().optional(),
  isPermanent: z.boolean().optional(),
})

/** What the fleet knows of a room. */
export type RoomRecord = z.infer<typeof RoomRecord>

const RoomSpec = z.object({
  /** For people: what the room is called. */
  label: z.string().default(''),
  /** Options of the room over those of its processes, by path. */
  config: z.record(z.string(), z.unknown()).default({}),
})

/** What a room is to be. */
export type RoomSpec = z.infer<typeof RoomSpec>

export interface FleetRoom {
  readonly record: RoomRecord
  readonly spec: RoomSpec
  /** Both as Redis has them: what is put back where Redis lost its memory. */
  readonly texts: readonly [record: string, spec: string]
}

/** What a node can take. Loads are percent of all its processors. */
export interface NodeOffer {
  readonly roles: readonly string[]
  readonly isCapture: boolean
  readonly cores: number
  readonly load: number
  readonly viewers: number
  readonly maxRooms: number
  /** Above it the node takes no new room; 100: never. */
  readonly maxLoad: number
  readonly isDrained: boolean
  /** Rooms that nobody can watch: the node goes to a relay with them, and none takes them. */
  readonly withoutRelay?: number
}

const NodeRecord = z.object({
  id: z.string(),
  instance: z.string(),
  roles: z.array(z.string()).catch([]),
  cores: z.number(),
  load: z.number(),
  viewers: z.number(),
  maxRooms: z.number(),
  maxLoad: z.number(),
  rooms: z.number(),
  withoutRelay: z.number().default(0),
  isDrained: z.boolean(),
  isAlive: z.boolean(),
})

export type NodeRecord = z.infer<typeof NodeRecord>

/** Reads our own writing, yet parsed: a process of another version may have written it. */
export const readRecord = (text: string): RoomRecord => RoomRecord.parse(JSON.parse(text))
export const readNode = (text: string): NodeRecord => NodeRecord.parse(JSON.parse(text))

export function readRoomPair(record: string, spec: string): FleetRoom {
  return { record: readRecord(record), spec: RoomSpec.parse(JSON.parse(spec)), texts: [record, spec] }
}
