import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { Inbox } from '@neko-edge/testing'

/** What the page in the desktop's browser asked of us. */
export interface PageRequest {
  readonly path: string
  readonly body: Buffer
}

/** Sends back whatever files are dropped on it, and never shows the same picture for long. */
const page = `<!doctype html><body style="margin:0;height:100vh;font-size:20vw"><script>
addEventListener('dragover', (event) => event.preventDefault())
addEventListener('drop', async (event) => {
  event.preventDefault()
  for (const file of event.dataTransfer.files) await fetch('/dropped/' + encodeURIComponent(file.name), { method: 'POST', body: file })
})
setInterval(() => { document.body.style.background = 'hsl(' + Date.now() / 20 + ' 100% 50%)' }, 50)
fetch('/loaded')
</script>`

/** A web page for a desktop's browser on this machine, which tells what happens to it. */
export class PageServer implements AsyncDisposable {
  readonly url: string
  readonly requests = new Inbox<PageRequest>(({ path }) => path)
  readonly #server: Server

  private constructor(server: Server, url: string) {
    this.#server = server
    this.url = url
  }

  static async open(): Promise<PageServer> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const served = new PageServer(server, `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`)
    server.on('request', (request, response) => {
      void buffer(request).then((body) => {
        served.requests.push({ path: request.url ?? '', body })
        response.setHeader('content-type', 'text/html').end(request.url === '/' ? page : '')
      })
    })
    return served
  }

  /** The next request of a path that begins like this. */
  asked(path: string): Promise<PageRequest> {
    return this.requests.take((request) => request.path.startsWith(path), { ms: 20_000, what: path })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
