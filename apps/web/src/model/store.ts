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
  get: (name: string) => attempt(() => localStorage.getItem(keyOf(name))) ?? undefined,
  set: (name: string, value: string) => attempt(() => localStorage.setItem(keyOf(name), value)),
  name: () => remembered.get('name') ?? '',
  setName: (name: string) => remembered.set('name', name),
  /** `''` stands for a session that lives in a cookie; `undefined` for none. */
  session: () => attempt(() => sessionStorage.getItem(keyOf('session'))) ?? undefined,
  setSession: (token: string | undefined) =>
    attempt(() => (token === undefined ? sessionStorage.removeItem(keyOf('session')) : sessionStorage.setItem(keyOf('session'), token))),
}
