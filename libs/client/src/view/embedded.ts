import { NekoClient } from '../client.ts'
import type { Connection } from '../connection.ts'
import { troubleWords } from '../trouble.ts'

/** What the attributes of an element say about its own connection. */
export interface EmbedOptions {
  /** The address of the room. */
  readonly src: string
  /** The token of a login elsewhere; without one the element signs in by itself. */
  readonly token: string | undefined
  readonly name: string
  readonly password: string
  /** False: picture and sound over a WebSocket from the start. */
  readonly webrtc: boolean
}

/** The connection of an element that stands alone: it comes from the attributes, and `close` ends it with what the element itself began. */
export interface OwnConnection {
  readonly client: NekoClient
  readonly options: EmbedOptions
  close(): void
}

/** Opens the connection that the attributes ask for. */
export function connectEmbedded(options: EmbedOptions): OwnConnection {
  const { src, token, name, password, webrtc } = options
  const client = new NekoClient({ base: new URL(src, document.baseURI).href, webrtc })
  if (token !== undefined) {
    client.resume(token)
    return { client, options, close: () => client.close() }
  }
  void client.login(name, password)
  const gone = new AbortController()
  // The session of the element's own login ends with it, or the server would keep it for nobody.
  const close = () => {
    gone.abort()
    client.token.value === undefined ? client.close() : void client.logout().finally(() => client.close())
  }
  // So it does with the page, unless the browser keeps that for when one comes back.
  addEventListener('pagehide', ({ persisted }) => persisted || close(), { signal: gone.signal })
  return { client, options, close }
}

/** What an element that stands alone says over its picture; nothing while that moves. */
export function stateWords(connection: Connection): string {
  if ('trouble' in connection && connection.trouble) {
    const { says, remedy } = troubleWords[connection.trouble.code]
    return `${says} ${remedy}`
  }
  return connection.is === 'live' || connection.is === 'signed-out' ? '' : 'Joining the room…'
}

interface ControlsOptions {
  bar: HTMLElement
  client: NekoClient
  view: HTMLElement & { muted: boolean; isKeyboardShown: boolean; showKeyboard: (isShown: boolean) => void }
}

/** The few buttons that an element with `controls` has: the controls, the keyboard of a touch screen, the sound, full screen. Gives the way to remove them. */
export function showControls({ bar, client, view }: ControlsOptions): () => void {
  const abort = new AbortController()
  const button = (part: string, run: () => void) => {
    const element = document.createElement('button')
    element.type = 'button'
    element.setAttribute('part', `button ${part}`)
    element.addEventListener('click', run)
    bar.append(element)
    return element
  }
  const host = button('host', () => (client.control.verdict === 'hosting' ? client.control.release() : client.control.request()))
  const keys = button('keyboard', () => view.showKeyboard(!view.isKeyboardShown))
  const sound = button('sound', () => {
    view.muted = !view.muted
  })
  const whole = button('fullscreen', () => {
    // Refused where the frame may not: nothing changes.
    void (document.fullscreenElement ? document.exitFullscreen() : view.requestFullscreen()).catch(() => {})
  })
  const draw = () => {
    const { verdict } = client.control
    host.hidden = verdict !== 'hosting' && verdict !== 'free' && verdict !== 'held'
    host.textContent = verdict === 'hosting' ? 'Release control' : verdict === 'held' ? 'Ask for control' : 'Take control'
    keys.hidden = verdict !== 'hosting' || !matchMedia('(any-pointer: coarse)').matches
    keys.textContent = 'Keyboard'
    keys.setAttribute('aria-pressed', String(view.isKeyboardShown))
    sound.textContent = view.muted ? 'Unmute' : 'Mute'
    whole.textContent = 'Full screen'
  }
  draw()
  const stop = client.room.watch(draw)
  for (const type of ['volumechange', 'keyboardchange']) {
    view.addEventListener(type, draw, { signal: abort.signal })
  }
  return () => {
    stop()
    abort.abort()
    bar.replaceChildren()
  }
}
