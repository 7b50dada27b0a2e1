import type { Room } from '@neko-edge/client'

const collator = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true })

/** How many are connected, listed or not. */
export function countIn({ sessions, crowd }: Pick<Room, 'sessions' | 'crowd'>): number {
  return crowd ?? [...sessions.values()].filter(({ state }) => state.is_connected).length
}

/** Who is connected, by id: the one at the controls first, then oneself, then by name; only those whose name has `find` in it. */
export function presentIn({ sessions, host, me }: Pick<Room, 'sessions' | 'host' | 'me'>, find = ''): string[] {
  const wanted = find.trim().toLowerCase()
  const rank = (id: string) => (id === host ? 0 : id === me ? 1 : 2)
  return [...sessions.values()]
    .filter(({ state, profile }) => state.is_connected && profile.name.toLowerCase().includes(wanted))
    .sort((a, b) => rank(a.id) - rank(b.id) || collator.compare(a.profile.name, b.profile.name))
    .map(({ id }) => id)
}
