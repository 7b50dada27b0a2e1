// What tests share, without weight. The viewers (`@neko-edge/testing/viewer`, werift) and the browser (`@neko-edge/testing/chromium`,
// playwright) have entries of their own: loading them takes half a second, which a test of Redis need not pay.
export { type DataMessage, decodeDataMessage, v2Input, v3Input } from './data-message.ts'
export { type Area, decodeVp8, Picture } from './decode.ts'
export { FakeClock } from './fake-clock.ts'
export { freeTcpPort, freeUdpPort } from './free-port.ts'
export { Inbox } from './inbox.ts'
export { type EventQuery, JsonSocket, type SocketMessage } from './json-socket.ts'
export { commandLineOf, isRunning, type ProcessUsage, processTree, threadsOf, usageOf } from './proc.ts'
export { TempRedis, tempRedis } from './redis.ts'
export { RtpMeter, type RtpPacketView } from './rtp-meter.ts'
export { TcpRelay } from './tcp-relay.ts'
export { type ShapedLink, UdpShaper } from './udp-shaper.ts'
export { beginsVp8KeyFrame, Vp8Assembler, type Vp8Frame, vp8Descriptor, vp8Size } from './vp8-frame.ts'
