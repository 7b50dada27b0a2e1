export interface Invitation {
  readonly name: string | undefined
  readonly password: string | undefined
  readonly volume: number | undefined
}

/** Reads what a link says about who comes in (`?usr=&pwd=&volume=`), and the address without it. */
export function readInvitation(href: string): { invitation: Invitation; href: string } {
  const url = new URL(href)
  const take = (key: string) => {
    const value = url.searchParams.get(key) ?? undefined
    url.searchParams.delete(key)
    return value
  }
  const name = take('usr')
  const password = take('pwd')
  const volume = Number.parseFloat(take('volume') ?? '')
  return {
    invitation: { name, password, volume: volume >= 0 && volume <= 1 ? volume : undefined },
    href: url.href,
  }
}
