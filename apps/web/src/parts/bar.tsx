import type { NekoView } from '@neko-edge/client/view'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Icon } from './icons.tsx'

/** What one can do with the picture: the controls, the sound, the size. */
export function Bar({ model, view, onFullscreen }: { model: Model; view: () => NekoView | undefined; onFullscreen: () => void }) {
  const text = words.value
  const isHosting = model.verdict.value === 'hosting'
  return (
    <footer class="bar">
      <ControlArea model={model} />
      <div class="tools">
        {isHosting && (
          <button type="button" class="quiet square touch-only" aria-label={text.view.keyboard} onClick={() => view()?.showKeyboard(true)}>
            <Icon name="keyboard" />
          </button>
        )}
        <Sound model={model} />
        <button
          type="button"
          class="quiet square wide-only"
          aria-label={text.view.statistics}
          aria-pressed={model.showsStatistics.value}
          title={text.view.statistics}
          onClick={() => {
            model.showsStatistics.value = !model.showsStatistics.value
          }}
        >
          <Icon name="statistics" />
        </button>
        {document.pictureInPictureEnabled && (
          <button
            type="button"
            class="quiet square wide-only"
            aria-label={text.view.pip}
            title={text.view.pip}
            onClick={() => void togglePip(view()?.video)}
          >
            <Icon name="pip" />
          </button>
        )}
        <button
          type="button"
          class="quiet square"
          aria-label={model.isFullscreen.value ? text.view.leaveFullscreen : text.view.fullscreen}
          title={model.isFullscreen.value ? text.view.leaveFullscreen : text.view.fullscreen}
          onClick={onFullscreen}
        >
          <Icon name={model.isFullscreen.value ? 'shrink' : 'fullscreen'} />
        </button>
      </div>
    </footer>
  )
}

async function togglePip(video: HTMLVideoElement | undefined): Promise<void> {
  // The browser may refuse (no picture yet, another window is in front); then nothing changes.
  await (document.pictureInPictureElement ? document.exitPictureInPicture() : video?.requestPictureInPicture())?.catch(() => {})
}

function ControlArea({ model }: { model: Model }) {
  const text = words.value.control
  const verdict = model.verdict.value
  const host = model.hostName.value
  const { control, api } = model.client
  const who = verdict === 'hosting' ? text.youHost : host === undefined ? text.nobody : text.host(host)
  const why = verdict === 'locked' || verdict === 'private' || verdict === 'forbidden' ? text[verdict] : undefined
  const isLive = model.connection.value.is === 'live'
  if (!model.room.value) {
    return <div class="control" />
  }
  return (
    <div class="control">
      {verdict === 'hosting' && (
        <button type="button" class="release" onClick={() => control.release()}>
          <Icon name="control" />
          {text.release}
        </button>
      )}
      {verdict === 'free' && (
        <button type="button" class="primary" disabled={!isLive} onClick={() => control.request()}>
          <Icon name="control" />
          {text.take}
        </button>
      )}
      {verdict === 'held' && (
        <button type="button" disabled={!isLive} onClick={() => ask(model)}>
          <Icon name="control" />
          {text.ask}
        </button>
      )}
      {model.isAdmin.value && verdict === 'held' && (
        <button type="button" class="quiet" onClick={() => void api.takeControl().catch(() => {})}>
          {text.takeOver}
        </button>
      )}
      <span class="who" role="status">
        {why ?? who}
        {verdict === 'free' && isLive && <span class="muted wide-only"> · {text.hint}</span>}
      </span>
    </div>
  )
}

function ask(model: Model): void {
  model.client.control.request()
  const host = model.hostName.value
  if (host !== undefined) {
    model.notices.show(words.value.control.askSent(host))
  }
}

function Sound({ model }: { model: Model }) {
  const text = words.value.sound
  const isMuted = model.isMuted.value || model.volume.value === 0
  return (
    <div class="sound">
      <button
        type="button"
        class="quiet square"
        aria-label={isMuted ? text.unmute : text.mute}
        title={isMuted ? text.unmute : text.mute}
        onClick={() => {
          model.isSoundBlocked.value = false
          model.isMuted.value = !isMuted
          if (isMuted && model.volume.value === 0) {
            model.volume.value = 1
          }
        }}
      >
        <Icon name={isMuted ? 'muted' : 'sound'} />
      </button>
      <input
        type="range"
        min="0"
        max="1"
        step="0.05"
        aria-label={text.volume}
        value={isMuted ? 0 : model.volume.value}
        onInput={(event) => {
          model.volume.value = event.currentTarget.valueAsNumber
          model.isMuted.value = false
          model.isSoundBlocked.value = false
        }}
      />
    </div>
  )
}
