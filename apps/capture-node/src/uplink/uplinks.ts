import type { Clock, Log } from '@neko-edge/kit'
import type { RelayArgs } from '@neko-edge/protocol'
import { RelayedInputText } from '@neko-edge/protocol'
import type { RtpSource } from '../capture/rtp-source.ts'
import { KeyFrameGate } from '../sfu/key-frame-gate.ts'
import { boundPlayout } from '../sfu/playout-delay.ts'
import { pictureLayers, sentParameters } from '../sfu/sent-parameters.ts'
import type { PipedStream, RoomSources, UplinkEnd, UplinkOffer } from '../sfu/sfu.ts'
import { uplinkBeat } from '../sfu/uplink-beat.ts'
import type { WeriftLink } from './werift-link.ts'

export interface UplinksOptions {
  readonly room: string
  readonly sources: RoomSources
  /** What a viewer behind an uplink did. */
  readonly onInput: (args: RelayArgs<'relay.input'>) => void
  readonly clock: Clock
  readonly log: Log
}

interface Uplink {
  readonly link: WeriftLink
  readonly stop: () => void
}

export interface NewUplink {
  /** One uplink a name: a new one takes the place of the old. */
  readonly name: string
  readonly end: UplinkEnd
  /** Messages pass from now on. */
  readonly onOpen: () => void
  /** It is no more, without having been closed. */
  readonly onLost: () => void
}

/** What a room sends to relays that can not come to it: one copy of every stream that is wanted there, and messages both ways. */
export class Uplinks implements AsyncDisposable {
  readonly #options: UplinksOptions
  readonly #groups: readonly (readonly [RtpSource, ...RtpSource[]])[]
  readonly #gate: KeyFrameGate
  readonly #stop: () => void
  readonly #uplinks = new Map<string, Uplink>()
  #wanted: ReadonlySet<RtpSource> = new Set()

  constructor(options: UplinksOptions) {
    this.#options = options
    const { sources, clock } = options
    this.#groups = [...pictureLayers(sources), [sources.audio]].flatMap(([first, ...others]) =>
      first ? [[first, ...others] as const] : [],
    )
    this.#gate = new KeyFrameGate(clock, () => Number.POSITIVE_INFINITY)
    this.#stop = clock.every(uplinkBeat.everyMs, () => this.tell(uplinkBeat.text))
  }

  /** Goes to an end; the answer says as whom, and with what. */
  async open({ name, end, onOpen, onLost }: NewUplink): Promise<UplinkOffer> {
    const log = this.#options.log.child({ relay: name })
    const events = {
      onOpen: () => {
        log.info({}, 'uplink is open')
        onOpen()
      },
      onMessage: (text: string) => this.#hear(text),
      onKeyFrameWish: (ssrc: number) => {
        const source = this.#all.find((each) => each.ssrc === ssrc)
        if (source?.codec.kind === 'video') {
          this.#gate.request(source)
        }
      },
      onLost: () => {
        if (this.#uplinks.get(name)?.link === link) {
          this.close(name)
          onLost()
        }
      },
    }
    // Loaded where it is needed: it takes time and memory that a node which is reached by others need not spend.
    const { WeriftLink } = await import('./werift-link.ts')
    const link = await WeriftLink.open({ events, log })
    this.close(name)
    const stops = this.#all.flatMap((source) => this.#feed(source, link))
    this.#uplinks.set(name, { link, stop: () => stops.forEach((stop) => stop()) })
    link.go(end)
    return { fingerprint: link.fingerprint, streams: this.#groups.map(streamOf) }
  }

  isOpen(name: string): boolean {
    return this.#uplinks.get(name)?.link.isOpen === true
  }

  /** What the present uplink of that name has sent, in bytes; undefined where there is none. */
  bytesSent(name: string): number | undefined {
    return this.#uplinks.get(name)?.link.bytesSent
  }

  /** Sends these sources from now on, while they run, and no others. */
  want(sources: readonly RtpSource[]): void {
    this.#wanted = new Set(sources)
  }

  /** Sends a message by every uplink that is open; whether there is one. */
  tell(text: string): boolean {
    const open = [...this.#uplinks.values()].filter(({ link }) => link.isOpen)
    open.forEach(({ link }) => link.sendMessage(text))
    return open.length > 0
  }

  close(name: string): void {
    const uplink = this.#uplinks.get(name)
    this.#uplinks.delete(name)
    uplink?.stop()
    void uplink?.link.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
    this.#gate.close()
    const all = [...this.#uplinks.values()]
    this.#uplinks.clear()
    all.forEach(({ stop }) => stop())
    await Promise.all(all.map(({ link }) => link.close()))
  }

  get #all(): RtpSource[] {
    return this.#groups.flat()
  }

  #feed(source: RtpSource, link: WeriftLink): (() => void)[] {
    const bounded = source.codec.kind === 'video' ? boundPlayout() : (packet: Buffer) => packet
    return [
      source.onPackets((packets) => {
        if (this.#wanted.has(source)) {
          const now = performance.now()
          packets.forEach((packet) => link.sendRtp(bounded(packet, now)))
        }
      }),
      source.onRtcp((packet) => this.#wanted.has(source) && link.sendRtcp(packet)),
    ]
  }

  #hear(text: string): void {
    const { room, onInput, log } = this.#options
    const parsed = RelayedInputText.safeParse(text)
    if (parsed.success && parsed.data.room === room) {
      onInput(parsed.data)
    } else {
      log.debug({ error: parsed.error?.message }, 'message of an uplink not understood')
    }
  }
}

function streamOf(layers: readonly [RtpSource, ...RtpSource[]]): PipedStream {
  return { kind: layers[0].codec.kind, ids: layers.map(({ id }) => id), rtp: sentParameters(layers, 'network') }
}
