import { NekoClient } from '../client.ts'
import type { Connection } from '../connection.ts'
import { troubleWords } from '../trouble.ts'

/** What the attributes of an element say about its own connection. */
export interface EmbedOptions {
  /** The address of the room. */
  src: string
  /** The token of a login elsewhere; without one the element signs in by itself. */
  token: string | undefined
  name: string
  password: string
}

/** The connection of an element that stands alone: it comes from the attributes and goes with the element. */
export function connectEmbedded({ src, token, name, password }: EmbedOptions): NekoClient {
  const client = new NekoClient({ base: new URL(src, document.baseURI).href })
  if (token !== undefined) {
    client.resume(token)
  } else {
    void client.login(name, password)
  }
  return client
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
  view: HTMLElement & { isMuted: boolean }
}

/** The few buttons that an element with `controls` has: the controls, the sound, full screen. Gives the way to remove them. */
export function showControls({ bar, client, view }: ControlsOptions): () => void {
  const button = (run: () => void) => {
    const element = document.createElement('button')
    element.type = 'button'
    element.addEventListener('click', run)
    bar.append(element)
    return element
  }
  const host = button(() => (client.control.verdict === 'hosting' ? client.control.release() : client.control.request()))
  const sound = button(() => {
    view.isMuted = !view.isMuted
    draw()
  })
  const whole = button(() => {
    // Refused where the frame may not: nothing changes.
    void (document.fullscreenElement ? document.exitFullscreen() : view.requestFullscreen()).catch(() => {})
  })
  const draw = () => {
    const { verdict } = client.control
    host.hidden = verdict !== 'hosting' && verdict !== 'free' && verdict !== 'held'
    host.textContent = verdict === 'hosting' ? 'Release control' : verdict === 'held' ? 'Ask for control' : 'Take control'
    sound.textContent = view.isMuted ? 'Unmute' : 'Mute'
    whole.textContent = 'Full screen'
  }
  draw()
  const stop = client.room.watch(draw)
  return () => {
    stop()
    bar.replaceChildren()
  }
}
