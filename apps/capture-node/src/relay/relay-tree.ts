import type { Held } from '../sfu/held.ts'

/** A node that has the room from this one, or from another that has. */
export interface Relay {
  readonly node: string
  parent: Relay | undefined
  /** Its viewers, with the peer of each. */
  readonly sessions: Map<string, string>
  readonly held: Held
  viewers: number
  isFull: boolean
  /** It stops: nobody is sent there any more. */
  isLeaving: boolean
  failures: number
  isAsked: boolean
  /** The streams that it wants. */
  ids: readonly string[]
}

/** Those who take the room from `parent`; undefined: from the origin. */
export function childrenOf(relays: readonly Relay[], parent: Relay | undefined): Relay[] {
  return relays.filter((relay) => relay.parent === parent)
}

export interface TreeRule {
  /** Whose place is looked for: neither itself nor those behind it. */
  readonly not: Relay | undefined
  /** How many take the room from the origin, and from each relay. */
  readonly widths: { readonly ofOrigin: number; readonly ofRelay: number }
}

/** The first that takes one more, level by level from the origin (undefined) on. */
export function parentFor(relays: readonly Relay[], { not, widths }: TreeRule): Relay | undefined {
  const level: (Relay | undefined)[] = [undefined]
  for (let index = 0; index < level.length; index++) {
    const children = childrenOf(relays, level[index]).filter((child) => child !== not && !child.isLeaving)
    if (children.length < (index === 0 ? widths.ofOrigin : widths.ofRelay)) {
      return level[index]
    }
    level.push(...children)
  }
  return undefined
}
