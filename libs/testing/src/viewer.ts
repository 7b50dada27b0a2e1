export { type CandidateInit, MediaPeer, type MediaPeerOptions } from './media-peer.ts'
export { TurnServer } from './turn-server.ts'
export { type V2Login, V2Viewer } from './v2-viewer.ts'
export { loginV3, type V3Login, type V3Session, V3Viewer, type WatchRequest } from './v3-viewer.ts'
