import { type Log, messageOf } from '@neko-edge/kit'
import { tellReady } from './readiness.ts'

/** How long an orderly stop may take before the process ends anyway, in milliseconds. */
const stopMs = 4_500

/**
 * Runs what `start` gives until SIGTERM or SIGINT, then closes it in bounded time. A fault that nobody caught ends the process: whoever supervises it starts it again.
 */
export async function runUntilStopped(start: () => Promise<AsyncDisposable>, log: Log, onReady?: () => void): Promise<void> {
  const stop = Promise.withResolvers<string>()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => stop.resolve(signal))
  }
  process.on('uncaughtException', (error) => {
    log.error({ error: messageOf(error), stack: error.stack }, 'unforeseen fault, ending')
    process.exit(70)
  })
  const starting = start()
  const first = await Promise.race([starting.then((started) => ({ started })), stop.promise.then((reason) => ({ reason }))])
  if ('started' in first) {
    tellReady()
    onReady?.()
  }
  const reason = 'reason' in first ? first.reason : await stop.promise
  log.info({ reason }, 'stopping')
  setTimeout(() => {
    log.warn({}, 'not everything could be stopped in time')
    process.exit(1)
  }, stopMs).unref()
  await (await starting)[Symbol.asyncDispose]()
  process.exit(0)
}
