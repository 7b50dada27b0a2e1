import { once } from 'node:events'
import { createServer } from 'node:http'

/** A web site of somebody else's, on loopback: its port makes it an origin of its own. */
export class Site implements AsyncDisposable {
  readonly origin: string
  readonly #close: () => Promise<void>
  /** What it serves, whatever path is asked for. */
  html = ''

  private constructor(origin: string, close: () => Promise<void>) {
    this.origin = origin
    this.#close = close
  }

  static async open(): Promise<Site> {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end(site.html)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const site: Site = new Site(`http://127.0.0.1:${port}`, async () => {
      server.closeAllConnections()
      server.close()
    })
    return site
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}
