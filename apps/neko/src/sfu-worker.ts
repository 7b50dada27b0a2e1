import { existsSync } from 'node:fs'
import { type Log, messageOf, NekoError } from '@neko-edge/kit'
import { cachedWorker, type FoundWorker, findWorker } from '../../../infra/worker/locate.ts'

/**
 * The program of the option `sfu.worker`, and a line in the log that says which it is and why. `stock` is built on first demand, which
 * takes two minutes once. Errors: `unavailable`, with what to do where there is none.
 */
export async function sfuWorker(wanted: string, log: Log): Promise<string> {
  const found = await choose(wanted, log)
  log.info({ path: found.path, why: found.why }, 'media worker chosen')
  return found.path
}

/** Builds what sfuWorker() would have to build first. Errors: `unavailable`, with the reason. */
export async function provideWorker(wanted: string, log: Log): Promise<void> {
  if (wanted === 'stock') {
    await stockWorker(log)
  }
}

async function choose(wanted: string, log: Log): Promise<FoundWorker> {
  switch (wanted) {
    case '':
      return (
        findWorker() ??
        unavailable('there is no mediasoup worker on this machine: npm run setup builds one, or name one with NEKO_SFU_WORKER')
      )
    case 'fast': {
      const path = cachedWorker('fast')
      return existsSync(path)
        ? { path, why: 'sfu.worker is fast' }
        : unavailable(
            'there is no fast worker on this machine: npm run setup builds it, or set NEKO_SFU_WORKER to stock or to the path of one',
          )
    }
    case 'stock':
      return { path: await stockWorker(log), why: 'sfu.worker is stock' }
    default:
      return { path: wanted, why: 'sfu.worker names it' }
  }
}

async function stockWorker(log: Log): Promise<string> {
  const path = cachedWorker('stock')
  if (existsSync(path)) {
    return path
  }
  log.warn({}, 'building the stock media worker: two minutes, once')
  // Only here: it brings what builds and verifies.
  const { obtainWorker } = await import('../../../infra/worker/obtain.ts')
  return obtainWorker({ way: 'build', flavour: 'stock' }, (percent) => log.debug({ percent }, 'building the stock media worker')).catch(
    (error: unknown) => unavailable(messageOf(error)),
  )
}

function unavailable(message: string): never {
  throw new NekoError('unavailable', message)
}
