import { connect } from 'node:net'

/** Connects to a unix socket and lets go of it: undefined where somebody listens, else why not (`ENOENT`, `ECONNREFUSED`, …). */
export function refusalOf(path: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', resolve)
  })
}
