import type { Signal } from '@preact/signals'

/** Two short tones of our own: no file to load. A browser that has not been clicked yet stays silent. */
export class Sounds {
  readonly #isOn: Signal<boolean>
  #context: AudioContext | undefined

  constructor(isOn: Signal<boolean>) {
    this.#isOn = isOn
  }

  /** Somebody asks for the controls. */
  ring(): void {
    this.#play([880, 660, 880, 660], 0.12)
  }

  /** A message came that nobody sees. */
  knock(): void {
    this.#play([660, 990], 0.07)
  }

  #play(tones: readonly number[], seconds: number): void {
    if (!this.#isOn.value || !navigator.userActivation?.hasBeenActive) {
      return
    }
    this.#context ??= new AudioContext()
    const context = this.#context
    for (const [index, frequency] of tones.entries()) {
      const start = context.currentTime + index * seconds
      const tone = new OscillatorNode(context, { frequency })
      const loud = new GainNode(context, { gain: 0 })
      loud.gain.setValueAtTime(0.12, start)
      loud.gain.exponentialRampToValueAtTime(0.001, start + seconds)
      tone.connect(loud).connect(context.destination)
      tone.start(start)
      tone.stop(start + seconds)
    }
  }
}
