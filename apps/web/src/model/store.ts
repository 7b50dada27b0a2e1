/** What the browser remembers for this room: the name for good, the token for as long as the tab lives. Storage may be forbidden. */
const keyOf = (name: string) => `neko ${new URL('.', document.baseURI).pathname} ${name}`

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    // Storage is switched off or full: nothing is remembered, everything works.
    return undefined
  }
}

export const remembered = {
  name: () => attempt(() => localStorage.getItem(keyOf('name'))) ?? '',
  setName: (name: string) => attempt(() => localStorage.setItem(keyOf('name'), name)),
  volume: () => Number(attempt(() => localStorage.getItem(keyOf('volume'))) ?? '1'),
  setVolume: (volume: number) => attempt(() => localStorage.setItem(keyOf('volume'), String(volume))),
  /** `''` stands for a session that lives in a cookie; `undefined` for none. */
  session: () => attempt(() => sessionStorage.getItem(keyOf('session'))) ?? undefined,
  setSession: (token: string | undefined) =>
    attempt(() => (token === undefined ? sessionStorage.removeItem(keyOf('session')) : sessionStorage.setItem(keyOf('session'), token))),
}
