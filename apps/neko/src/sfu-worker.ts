import { NekoError } from '@neko-edge/kit'
import { workerBinary } from '../../../infra/worker/locate.ts'

/** The program of the option `sfu.worker`: a path as it is, else the worker of this machine. Errors: `unavailable`, with what to do where there is none. */
export function sfuWorker(wanted: string): string {
  if (wanted.startsWith('/')) {
    return wanted
  }
  if (wanted === 'fast') {
    throw new NekoError('unavailable', 'there is no fast worker on this machine: set NEKO_SFU_WORKER to stock, or to the path of one')
  }
  const built = workerBinary()
  if (built === undefined) {
    throw new NekoError(
      'unavailable',
      'there is no mediasoup worker on this machine: npm run setup builds one, or name one with NEKO_SFU_WORKER',
    )
  }
  return built
}
