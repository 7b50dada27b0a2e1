/** Where a supervised part is in its life; times are epoch milliseconds. */
export type Life =
  | { readonly is: 'starting'; readonly since: number }
  | { readonly is: 'up'; readonly since: number; readonly pid: number }
  | { readonly is: 'waiting'; readonly until: number; readonly failures: number }
  | { readonly is: 'stopped' }

/** What can happen to a part. `ended` covers a start that failed as well as a process that died. */
export type Tick =
  | { readonly on: 'ready'; readonly at: number; readonly pid: number }
  | { readonly on: 'ended'; readonly at: number; readonly delayMs: number; readonly failures: number }
  | { readonly on: 'retry'; readonly at: number }
  | { readonly on: 'stop' }

/** The next life; a tick that does not fit the present one (late, or after `stop`) changes nothing. */
export function next(life: Life, tick: Tick): Life {
  if (life.is === 'stopped') {
    return life
  }
  switch (tick.on) {
    case 'ready':
      return life.is === 'starting' ? { is: 'up', since: tick.at, pid: tick.pid } : life
    case 'ended':
      return life.is === 'waiting' ? life : { is: 'waiting', until: tick.at + tick.delayMs, failures: tick.failures }
    case 'retry':
      return life.is === 'waiting' ? { is: 'starting', since: tick.at } : life
    case 'stop':
      return { is: 'stopped' }
    default:
      return tick satisfies never
  }
}
