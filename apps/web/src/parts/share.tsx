import { profileOf, type ShareKind } from '@neko-edge/client'
import { NekoError } from '@neko-edge/kit'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Icon } from './icons.tsx'

/** One's own microphone and camera in the desktop, for those who may. */
export function Share({ model }: { model: Model }) {
  const room = model.room.value
  if (!room || profileOf(room)?.can_share_media !== true || model.connection.value.is !== 'live') {
    return null
  }
  const allowed = model.mayShare.value
  const text = words.value.share
  return (
    <>
      {allowed.has('audio') && <ShareButton model={model} kind="audio" icon="microphone" on={text.microphoneOff} off={text.microphone} />}
      {allowed.has('video') && <ShareButton model={model} kind="video" icon="camera" on={text.cameraOff} off={text.camera} />}
    </>
  )
}

interface ShareButtonOptions {
  model: Model
  kind: ShareKind
  icon: 'microphone' | 'camera'
  on: string
  off: string
}

function ShareButton({ model, kind, icon, on, off }: ShareButtonOptions) {
  const isOn = model.shares.value.has(kind)
  const label = isOn ? on : off
  const toggle = () => {
    const { share } = model.client
    if (isOn) {
      share.stop(kind)
      return
    }
    share.start(kind).catch((error: unknown) => {
      const isMissing = error instanceof NekoError && error.code === 'notFound'
      model.notices.show(isMissing ? words.value.share.missing : words.value.share.refused)
    })
  }
  return (
    <button type="button" class="quiet square" aria-label={label} aria-pressed={isOn} title={label} data-shares={kind} onClick={toggle}>
      <Icon name={icon} />
    </button>
  )
}
