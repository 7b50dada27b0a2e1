import type { StreamSelector } from '@neko-edge/protocol'

interface Ladder {
  /** Best first; rates in bit/s, 0 while a rung does not run. */
  readonly rungs: readonly { id: string; bitrate: number }[]
  /** `undefined` where V2 clients are not served, and there is no such picture. */
  readonly cursorVideoId: string | undefined
  /** A request that chooses nothing gets the first rung; a change that chooses nothing finds nothing. */
  readonly isFirst: boolean
}

/**
 * The rung that a client asks for, `undefined` where there is none. An id is looked up (`exact`, `nearest`) or stepped from
 * (`lower`, `higher`); a bitrate is compared with what running rungs measure.
 */
export function pickRung({ id, type, bitrate }: StreamSelector, { rungs, cursorVideoId, isFirst }: Ladder): string | undefined {
  if (id !== '') {
    const index = rungs.findIndex((rung) => rung.id === id)
    if (type === 'exact' || type === 'nearest') {
      return index >= 0 || id === cursorVideoId ? id : undefined
    }
    return index < 0 ? undefined : rungs[type === 'lower' ? index + 1 : index - 1]?.id
  }
  if (bitrate > 0) {
    return byRate(type, bitrate, rungs)
  }
  return isFirst ? rungs[0]?.id : undefined
}

function byRate(type: StreamSelector['type'], bitrate: number, rungs: Ladder['rungs']): string | undefined {
  const running = rungs.filter((rung) => rung.bitrate > 0).toSorted((a, b) => b.bitrate - a.bitrate)
  switch (type) {
    case 'exact':
      return running.find((rung) => rung.bitrate === bitrate)?.id
    case 'lower':
      return running.find((rung) => rung.bitrate < bitrate)?.id
    case 'higher':
      return running.findLast((rung) => rung.bitrate > bitrate)?.id
    case 'nearest':
      // The best that fits; else the smallest of those that do not; with nothing running, the default.
      return (running.find((rung) => rung.bitrate <= bitrate) ?? running.at(-1) ?? rungs[0])?.id
    default:
      return type satisfies never
  }
}
