import { writeSync } from 'node:fs'

/** Names the descriptor on which a part tells `neko serve` that it is ready. */
export const readyVariable = 'EDGE_READY_FD'

/** Tells whoever started this process, if it asked to be told. */
export function tellReady(): void {
  const descriptor = process.env[readyVariable]
  if (descriptor !== undefined) {
    writeSync(Number(descriptor), '\n')
  }
}
