/** Milliseconds since 1970, and a way to be called later: injected wherever time decides, so that tests can hold it. */
export interface Clock {
  now(): number
  /** Calls `run` after `delayMs`; the returned function cancels. Never keeps a process alive. */
  after(delayMs: number, run: () => void): () => void
  /** Calls `run` every `periodMs` until cancelled. */
  every(periodMs: number, run: () => void): () => void
}

const unref = (timer: unknown): void => {
  // Browsers and Deno give a number; Node gives an object that would keep the process alive.
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') {
    timer.unref()
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    unref(timer)
    return () => clearTimeout(timer)
  },
  every(periodMs, run) {
    const timer = setInterval(run, periodMs)
    unref(timer)
    return () => clearInterval(timer)
  },
}

/** Resolves after `ms`. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
