import type { IceServer } from '../v3/wire.ts'

/* What a V2 server says: flat objects, with the event beside its fields. */

export interface V2Member {
  id: string
  displayname: string
  admin: boolean
  muted: boolean
  /** `false` for somebody who is named in what follows and not here: clients resolve his name and show no avatar. */
  connected?: false
}

export type V2Resource = 'login' | 'control' | 'file_transfer'

export interface V2Payloads {
  'system/init': {
    implicit_hosting: boolean
    locks: Partial<Record<V2Resource, string>>
    file_transfer: boolean
    heartbeat_interval: number
  }
  'system/disconnect': { title: string; message: string }
  'system/error': { title: string; message: string }
  'signal/provide': { id: string; sdp: string; lite: boolean; ice: (IceServer & { credentialType: 'password' })[] }
  'signal/offer': { sdp: string }
  'signal/answer': { sdp: string }
  'signal/candidate': { data: string }
  'member/list': { members: V2Member[] }
  'member/connected': V2Member
  'member/disconnected': { id: string }
  'control/locked': { id: string }
  'control/release': { id: string }
  'control/request': { id: string }
  'control/requesting': { id: string }
  'control/give': { id: string; target: string }
  'control/clipboard': { text: string }
  'chat/message': { id: string; content: string }
  'chat/emote': { id: string; emote: string }
  'filetransfer/list': {
    cwd: string
    files: { name: string; type: 'file' | 'dir'; size: number }[]
    user_download: boolean
    user_upload: boolean
    user_delete: boolean
  }
  'screen/resolution': { id?: string; width: number; height: number; rate: number }
  'screen/configurations': { configurations: Record<string, { width: number; height: number; rates: Record<string, number> }> }
  'broadcast/status': { url: string; isActive: boolean }
  'admin/lock': { resource: V2Resource; id: string }
  'admin/unlock': { resource: V2Resource; id: string }
  'admin/control': { id: string; target?: string }
  'admin/release': { id: string; target?: string }
  'admin/mute': { id: string; target: string }
  'admin/unmute': { id: string; target: string }
  'admin/kick': { id: string; target: string }
  'admin/ban': { id: string; target: string }
  'openinapp/init': { enabled: boolean }
}

export type V2Event = keyof V2Payloads
export type V2Message = { [E in V2Event]: { event: E } & V2Payloads[E] }[V2Event]
