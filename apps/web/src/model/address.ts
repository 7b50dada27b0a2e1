/** How much of the page a link asks for: everything; the picture with its controls (`embed`); the picture alone, with sound (`cast`). */
export type Look = 'page' | 'embed' | 'cast'

export interface Invitation {
  readonly name: string | undefined
  readonly password: string | undefined
  /** The token of a join link. */
  readonly link: string | undefined
  /** 0 to 1. */
  readonly volume: number | undefined
  /** The speed of the wheel, 1 being as it is; V2 counts from 1 to 100, with 10 in the middle. */
  readonly scrollSpeed: number | undefined
  readonly language: string | undefined
  readonly showsSide: boolean | undefined
  readonly mutesChat: boolean | undefined
  readonly look: Look
}

/** Reads what a link says (V2's `usr pwd cast embed volume scroll lang show_side mute_chat`, our `link`, best in the fragment), and the address without it. */
export function readInvitation(href: string): { invitation: Invitation; href: string } {
  const url = new URL(href)
  const take = (key: string) => {
    const value = url.searchParams.get(key) ?? undefined
    url.searchParams.delete(key)
    return value
  }
  const between = (key: string, least: number, most: number) => {
    const value = Number.parseFloat(take(key) ?? '')
    return value >= least && value <= most ? value : undefined
  }
  const flag = (key: string) => {
    const value = take(key)
    return value === undefined ? undefined : value !== '0' && value !== 'false'
  }
  const name = take('usr')
  const password = take('pwd')
  const [, fragment] = /^#link=([\w.-]+)$/.exec(url.hash) ?? []
  const link = take('link') ?? fragment
  if (fragment !== undefined) {
    url.hash = ''
  }
  const scroll = between('scroll', 1, 100)
  const isEmbedded = flag('embed') === true
  return {
    invitation: {
      name,
      password,
      link,
      volume: between('volume', 0, 1),
      scrollSpeed: scroll && Math.min(5, Math.max(0.1, scroll / 10)),
      language: take('lang'),
      showsSide: flag('show_side'),
      mutesChat: flag('mute_chat'),
      look: flag('cast') === true ? 'cast' : isEmbedded ? 'embed' : 'page',
    },
    href: url.href,
  }
}
