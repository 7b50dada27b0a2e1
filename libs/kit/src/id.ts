declare const brand: unique symbol
type Brand<Name extends string> = string & { readonly [brand]: Name }

export type RoomId = Brand<'RoomId'>
export type SessionId = Brand<'SessionId'>
export type NodeId = Brand<'NodeId'>
/** One run of one process: two runs of the same node differ. */
export type InstanceId = Brand<'InstanceId'>
export type PeerId = Brand<'PeerId'>

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_'

/** `length` random characters of `[0-9A-Za-z_-]`, six bits of entropy each, from the platform's secure source. */
export function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length))
  return Array.from(bytes, (byte) => alphabet.charAt(byte & 63)).join('')
}

export const newInstanceId = (): InstanceId => randomText(12) as InstanceId
export const newPeerId = (): PeerId => randomText(10) as PeerId
