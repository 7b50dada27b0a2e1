export { type Answer, type AnswerOptions, answer, type Incoming, incomingOf, parseAnswer } from './answer.ts'
export { type CandidateInit, candidateEvents, type IceCandidate } from './candidate.ts'
export { type Dcep, decodeDcep, encodeAck, encodeOpen, ppid } from './dcep.ts'
export type {
  DataSection,
  Description,
  Direction,
  Fingerprint,
  LocalTransport,
  MediaSection,
  RejectedSection,
  Section,
  Sending,
  Setup,
} from './describe.ts'
export { offer, type SendingOptions, sendingSection } from './offer.ts'
export { parseDescription, type RemoteDescription, type RemoteSection } from './parse.ts'
export type { MediaKind, RtcpFeedback, RtpCodec, RtpEncoding, RtpHeaderExtension, RtpParameters } from './rtp.ts'
export { isRtx, sameCodec } from './rtp.ts'
