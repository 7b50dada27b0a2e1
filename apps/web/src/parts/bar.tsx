import type { NekoView } from '@neko-edge/client/view'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Icon } from './icons.tsx'
import { MenuButton, type MenuItem } from './menu.tsx'
import { Share } from './share.tsx'
import { Sound } from './sound.tsx'

/** What one can do with the picture: the controls, the sound, the size. */
export function Bar({ model, view, onFullscreen }: { model: Model; view: () => NekoView | undefined; onFullscreen: () => void }) {
  const text = words.value
  const isHosting = model.verdict.value === 'hosting'
  // Only a video can have a window of its own.
  const isThin = model.path.value === 'websocket' || model.path.value === 'jpeg'
  return (
    <footer class="bar">
      <ControlArea model={model} />
      <div class="tools">
        {isHosting && (
          <button
            type="button"
            class="quiet square touch-only"
            aria-label={text.view.keyboard}
            aria-pressed={model.isKeyboardShown.value}
            title={text.view.keyboard}
            // The keyboard would lose the focus before the click, and be opened again by it.
            onPointerDown={(event) => event.preventDefault()}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => view()?.showKeyboard(!model.isKeyboardShown.value)}
          >
            <Icon name="keyboard" />
          </button>
        )}
        {model.isZoomed.value && (
          <button
            type="button"
            class="quiet square"
            aria-label={text.view.wholePicture}
            title={text.view.wholePicture}
            onClick={() => view()?.resetZoom()}
          >
            <Icon name="shrink" />
          </button>
        )}
        <button
          type="button"
          class="quiet square wide-only"
          aria-label={model.isPaused.value ? text.view.resume : text.view.pause}
          title={model.isPaused.value ? text.view.resume : text.view.pause}
          onClick={() => (model.isPaused.value ? void view()?.play() : view()?.pause())}
        >
          <Icon name={model.isPaused.value ? 'play' : 'pause'} />
        </button>
        <Share model={model} />
        <Sound model={model} />
        {model.room.value && (
          <MenuButton label={text.view.quality} items={() => qualities(model)}>
            <Icon name="quality" />
          </MenuButton>
        )}
        {model.hasClipboard.value && isHosting && (
          <button
            type="button"
            class="quiet square"
            aria-label={text.clipboard.title}
            title={text.clipboard.title}
            aria-expanded={model.panel.value === 'clipboard'}
            data-opens="clipboard"
            onClick={() => {
              model.panel.value = model.panel.value === 'clipboard' ? undefined : 'clipboard'
            }}
          >
            <Icon name="clipboard" />
          </button>
        )}
        <button
          type="button"
          class="quiet square wide-only"
          aria-label={text.view.statistics}
          aria-pressed={model.showsStatistics.value}
          data-shows="statistics"
          title={text.view.statistics}
          onClick={() => {
            model.showsStatistics.value = !model.showsStatistics.value
          }}
        >
          <Icon name="statistics" />
        </button>
        {document.pictureInPictureEnabled && !isThin && (
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

/** The rungs of the ladder, the choice left to the server, and sound alone. */
function qualities({ client, room }: Model): MenuItem[] {
  const text = words.value.view
  const { videos = [], video } = room.value ?? {}
  const isOff = video?.disabled === true
  const choose = (choice: Parameters<typeof client.chooseVideo>[0]) => () => {
    if (isOff && !('disabled' in choice)) {
      client.chooseVideo({ disabled: false })
    }
    client.chooseVideo(choice)
  }
  return [
    { label: text.automatic, isChosen: !isOff && video?.auto === true, run: choose({ auto: true }) },
    ...videos.map((id) => ({ label: id, isChosen: !isOff && video?.auto === false && video.id === id, run: choose({ id }) })),
    { label: text.soundOnly, isChosen: isOff, run: choose({ disabled: true }) },
  ]
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
        <button type="button" class="quiet" onClick={() => model.run(api.takeControl())}>
          {text.takeOver}
        </button>
      )}
      {model.isInputLocked.value && (
        <button
          type="button"
          class="quiet square"
          aria-label={text.localUnlock}
          title={text.localUnlock}
          onClick={() => {
            model.isInputLocked.value = false
          }}
        >
          <Icon name="lock" />
        </button>
      )}
      <span class="who" role="status">
        {model.isInputLocked.value ? text.localLocked : (why ?? who)}
        {(verdict === 'free' || verdict === 'hosting') && isLive && !model.isInputLocked.value && (
          <span class="muted wide-only"> · {verdict === 'free' ? text.hint : text.keysBack}</span>
        )}
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
