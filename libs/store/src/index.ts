export { Bus, feedChannel, nodeChannel, relayChannel, relayedChannel, type Serve } from './bus.ts'
export { type Connection, connect, describeUrl } from './connection.ts'
export { DeadSessions } from './dead-sessions.ts'
export { countFailure, failuresOf } from './failure.ts'
export { type Beat, type Created, type DrainWay, drainWays, Fleet, type Moved, type NewRoom, type RoomEnd } from './fleet.ts'
export { beatMs, nodeLeaseMs } from './fleet-lua.ts'
export {
  type FleetRoom,
  type NodeOffer,
  type NodeRecord,
  type RoomRecord,
  type RoomSpec,
  type RoomState,
  roomStates,
} from './fleet-room.ts'
export * from './host-facts.ts'
export { deadInstances, keepLease, leaseMs } from './lease.ts'
export { forgetLinkUse, useLink } from './link-use.ts'
export { type MemberRecord, MemberStore } from './member-facts.ts'
export { type DueNews, type News, NewsQueue, type Retries } from './news.ts'
export { type ParticipantsOptions, tellParticipants } from './participants.ts'
export { joinPlanes, type PlaneMembership } from './planes.ts'
export { forgetRoom, Room, type RoomDefaults } from './room.ts'
export type { Ban, BaseSettings, FactsChange, RoomBatch, RoomEvent } from './room-event.ts'
export { changeBan, changeSettings, claimRoom, leaveRoom, renewRoom, tellFacts } from './room-facts.ts'
export { type RoomNode, RoomView } from './room-view.ts'
export { scriptUse } from './script-use.ts'
export * from './session-facts.ts'
export type { PeerNews, Signal } from './signal.ts'
