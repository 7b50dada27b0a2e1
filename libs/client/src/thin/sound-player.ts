import { type StreamFormat, type StreamFrame, streamFormats } from '@neko-edge/protocol/stream'

/** Sound is played so long after it came, in seconds: as much as packets of a TCP connection are late by on an ordinary line. */
const delay = 0.08
/** More than this waiting is left out: sound must not fall behind the picture. */
const maxWaiting = 0.3
/** How long the browser may take to let it sound, in milliseconds. */
const allowedMs = 700

const codecs: Partial<Record<StreamFormat, { codec: string; numberOfChannels: number }>> = {
  opus: { codec: 'opus', numberOfChannels: 2 },
  pcmu: { codec: 'ulaw', numberOfChannels: 1 },
  pcma: { codec: 'alaw', numberOfChannels: 1 },
}

/** Decodes the room's sound by WebCodecs, and plays it by WebAudio. */
export class SoundPlayer {
  readonly #context = new AudioContext()
  readonly #gain = this.#context.createGain()
  #decoder: AudioDecoder | undefined
  #format: StreamFormat | undefined
  /** When what is scheduled has been played, on the context's clock. */
  #until = 0
  #time = 0

  constructor(volume: number) {
    this.#gain.gain.value = volume
    this.#gain.connect(this.#context.destination)
  }

  set volume(volume: number) {
    this.#gain.gain.value = volume
    void this.#context.resume()
  }

  /** Whether the browser lets it sound; some want a click first. */
  async isAllowed(): Promise<boolean> {
    const waited = new Promise((resolve) => setTimeout(resolve, allowedMs))
    await Promise.race([this.#context.resume(), waited])
    return this.#context.state === 'running'
  }

  take({ format, data }: StreamFrame): void {
    if (format !== this.#format || this.#decoder?.state === 'closed') {
      this.#configure(format)
    }
    this.#time += 1
    // Only their order counts: each packet is played behind the one before it.
    this.#decoder?.decode(new EncodedAudioChunk({ type: 'key', timestamp: this.#time * 20_000, data }))
  }

  close(): void {
    if (this.#decoder && this.#decoder.state !== 'closed') {
      this.#decoder.close()
    }
    void this.#context.close()
  }

  #configure(format: StreamFormat): void {
    this.#format = format
    const codec = codecs[format]
    if (!codec) {
      return
    }
    const decoder = new AudioDecoder({
      output: (sound) => {
        this.#play(sound)
        sound.close()
      },
      // Closed by itself; the next packet opens another one.
      error: () => {},
    })
    decoder.configure({ ...codec, sampleRate: streamFormats[format].clockRate })
    this.#decoder = decoder
  }

  #play(sound: AudioData): void {
    const now = this.#context.currentTime
    if (this.#context.state !== 'running' || this.#until > now + maxWaiting) {
      return
    }
    const { numberOfChannels, numberOfFrames, sampleRate } = sound
    const buffer = this.#context.createBuffer(numberOfChannels, numberOfFrames, sampleRate)
    for (let channel = 0; channel < numberOfChannels; channel++) {
      sound.copyTo(buffer.getChannelData(channel), { planeIndex: channel, format: 'f32-planar' })
    }
    const source = this.#context.createBufferSource()
    source.buffer = buffer
    source.connect(this.#gain)
    const at = this.#until > now ? this.#until : now + delay
    source.start(at)
    this.#until = at + buffer.duration
  }
}
