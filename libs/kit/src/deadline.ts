import { NekoError } from './errors.ts'

/**
 * The outcome of `work`, or a `timeout` error that names `what` once `ms` have passed.
 * The work itself goes on: give it its own signal where it can be stopped.
 */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NekoError('timeout', `${what} took longer than ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks `probe` every `everyMs` until it gives something truthy, and returns that; a `timeout` error names `what` after `ms`. */
export async function until<T>(
  probe: () => T | Promise<T>,
  { ms, what, everyMs = 20 }: { ms: number; what: string; everyMs?: number },
): Promise<NonNullable<T>> {
  const end = performance.now() + ms
  for (;;) {
    const value = await probe()
    if (value) {
      return value
    }
    if (performance.now() > end) {
      throw new NekoError('timeout', `${what}: not within ${ms} ms`)
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
