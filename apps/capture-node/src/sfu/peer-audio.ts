import type { Consumer, WebRtcTransport } from 'mediasoup/types'
import type { Carrier } from './carrier.ts'
import { Held } from './held.ts'
import type { AudioState } from './sfu.ts'

/** The m-line of the audio, as upstream's offers have it. */
export const AUDIO_MID = '0'

export interface AudioOptions {
  readonly carrier: Carrier
  readonly transport: WebRtcTransport
  readonly disabled: boolean
  readonly isPaused: boolean
}

/** The sound of one viewer. Its methods are for one caller at a time. */
export class PeerAudio {
  readonly #options: AudioOptions
  readonly #held = new Held()
  #consumer: Consumer | undefined
  #disabled: boolean
  #isPaused: boolean

  private constructor(options: AudioOptions) {
    this.#options = options
    this.#disabled = options.disabled
    this.#isPaused = options.isPaused
  }

  static async open(options: AudioOptions): Promise<PeerAudio> {
    const self = new PeerAudio(options)
    self.#hold()
    try {
      self.#consumer = await options.transport.consume({
        producerId: options.carrier.audio.producer.id,
        rtpCapabilities: options.carrier.capabilities('plain'),
        mid: AUDIO_MID,
        paused: !self.#isActive,
      })
      return self
    } catch (error) {
      self.close()
      throw error
    }
  }

  get consumer(): Consumer | undefined {
    return this.#consumer
  }

  get state(): AudioState {
    return { disabled: this.#disabled }
  }

  /** True when that changed anything. */
  async setDisabled(disabled: boolean): Promise<boolean> {
    const isChange = this.#disabled !== disabled
    await this.#change(() => {
      this.#disabled = disabled
    })
    return isChange
  }

  async setPaused(isPaused: boolean): Promise<void> {
    await this.#change(() => {
      this.#isPaused = isPaused
    })
  }

  /** The client has answered, and takes or refuses the m-line. */
  answered(isAccepted: boolean): void {
    if (!isAccepted) {
      this.close()
    }
  }

  close(): void {
    this.#held.set([])
    this.#consumer?.close()
    this.#consumer = undefined
  }

  get #isActive(): boolean {
    return !this.#disabled && !this.#isPaused
  }

  #hold(): void {
    this.#held.set(this.#isActive ? [...this.#options.carrier.audio.layers] : [])
  }

  async #change(apply: () => void): Promise<void> {
    const wasActive = this.#isActive
    apply()
    if (this.#consumer !== undefined && wasActive !== this.#isActive) {
      this.#hold()
      await (this.#isActive ? this.#consumer.resume() : this.#consumer.pause())
    }
  }
}
