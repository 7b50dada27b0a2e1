import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { until } from '@neko-edge/kit'

/** What the page in the room's desktop says of itself. */
export type DeskReport =
  | { is: 'ready'; left: number; top: number }
  | { is: 'click'; x: number; y: number; button: number }
  | { is: 'typed'; text: string }
  | { is: 'turned'; y: number }
  | { is: 'wheel'; deltaX: number; deltaY: number }
  /** A field with formatting changed. */
  | { is: 'rich'; html: string }
  /** A picture of 40 by 30 was put into the clipboard. */
  | { is: 'copied' }
  /** Files were chosen in the dialog, or dropped on the page. */
  | { is: 'files'; way: 'chosen' | 'dropped'; names: string[]; bytes: number }
  /** The address below `/opened` was asked for. */
  | { is: 'opened'; path: string }
  /** Shift came up. */
  | { is: 'released' }
  /** A button that was held over some way, in pixels of the screen. */
  | { is: 'drag'; from: { x: number; y: number }; to: { x: number; y: number } }

/**
 * Four coloured fields, one of which changes with each click; a text field that has the focus; and a tone. Everything that
 * reaches the page is reported, so that a test knows what arrived in the desktop, not only what was sent.
 */
const page = `<!doctype html><meta charset="utf-8"><title>desk</title>
<style>
  html, body { margin: 0; height: 100%; overflow: hidden; background: #808080; cursor: crosshair }
  #red, #green, #blue, #target { position: fixed; width: 200px; height: 200px }
  #red { left: 0; top: 0; background: #f00 } #green { right: 0; top: 0; background: #0f0 }
  #blue { left: 0; bottom: 0; background: #00f } #target { left: 400px; top: 200px; background: #fff }
  #target.hit { background: #000 }
  textarea { position: fixed; left: 650px; top: 300px; width: 300px; height: 100px; font-size: 20px }
  #rich { position: fixed; left: 650px; top: 430px; width: 300px; height: 60px; background: #fff; outline: 1px solid }
  #picture, #file { position: fixed; left: 400px; top: 430px; width: 100px; height: 60px; background: #fc0 }
  #file { left: 520px; background: #0cf; color: transparent } #file::file-selector-button { width: 100px; height: 60px; opacity: 0 }
  #tick { position: fixed; right: 0; bottom: 0; width: 40px; height: 40px }
</style>
<div id=red></div><div id=green></div><div id=blue></div><div id=target></div><div id=tick></div><textarea autofocus></textarea>
<div id=rich contenteditable></div><div id=picture></div><input id=file type=file multiple>
<script>
  const tell = (report) => fetch('/report', { method: 'POST', body: JSON.stringify(report) })
  const target = document.querySelector('#target'), field = document.querySelector('textarea'), tick = document.querySelector('#tick')
  target.addEventListener('mousedown', () => target.classList.toggle('hit'))
  addEventListener('mousedown', (e) => { tell({ is: 'click', x: e.screenX, y: e.screenY, button: e.button }) })
  let from
  addEventListener('mousedown', (e) => { from = { x: e.screenX, y: e.screenY } })
  addEventListener('mouseup', (e) => {
    const to = { x: e.screenX, y: e.screenY }
    if (from && Math.hypot(to.x - from.x, to.y - from.y) > 20) tell({ is: 'drag', from, to })
  })
  addEventListener('wheel', (e) => { tell({ is: 'wheel', deltaX: e.deltaX, deltaY: e.deltaY }) })
  addEventListener('contextmenu', (e) => { e.preventDefault() })
  addEventListener('wheel', (e) => tell({ is: 'turned', y: e.deltaY }))
  field.addEventListener('input', () => tell({ is: 'typed', text: field.value }))
  const rich = document.querySelector('#rich'), file = document.querySelector('#file')
  rich.addEventListener('input', () => tell({ is: 'rich', html: rich.innerHTML }))
  document.querySelector('#picture').addEventListener('click', async () => {
    const canvas = new OffscreenCanvas(40, 30)
    canvas.getContext('2d').fillRect(0, 0, 40, 30)
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': canvas.convertToBlob() })])
    tell({ is: 'copied' })
  })
  const came = (way, files) => tell({ is: 'files', way, names: [...files].map((each) => each.name), bytes: [...files].reduce((sum, each) => sum + each.size, 0) })
  file.addEventListener('change', () => came('chosen', file.files))
  addEventListener('dragover', (e) => e.preventDefault())
  addEventListener('drop', (e) => { e.preventDefault(); came('dropped', e.dataTransfer.files) })
  addEventListener('keyup', (e) => { if (e.key === 'Shift') tell({ is: 'released' }) })
  let on = false
  setInterval(() => { on = !on; tick.style.background = on ? '#333' : '#ccc' }, 100)
  const ready = () => { field.focus(); tell({ is: 'ready', left: screenX + (outerWidth - innerWidth) / 2, top: screenY + outerHeight - innerHeight }) }
  addEventListener('load', () => setTimeout(ready, 300)); addEventListener('resize', ready)
  const sound = new AudioContext(), tone = sound.createOscillator(), loud = sound.createGain()
  loud.gain.value = 0.3; tone.frequency.value = 440; tone.connect(loud).connect(sound.destination); tone.start()
</script>`

/** The page, served on loopback to the browser in the desktop. */
export class DeskPage implements AsyncDisposable {
  readonly url: string
  readonly #reports: DeskReport[] = []
  readonly #close: () => Promise<void>

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url
    this.#close = close
  }

  static async open(): Promise<DeskPage> {
    const server = createServer((request, response) => {
      if (request.url === '/report') {
        void body(request).then((text) => desk.#reports.push(JSON.parse(text) as DeskReport))
        response.end()
      } else if (request.url?.startsWith('/opened')) {
        desk.#reports.push({ is: 'opened', path: request.url })
        response.end()
      } else {
        response.setHeader('content-type', 'text/html; charset=utf-8')
        response.end(page)
      }
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const desk = new DeskPage(`http://127.0.0.1:${port}/`, async () => {
      server.closeAllConnections()
      server.close()
    })
    return desk
  }

  get reports(): readonly DeskReport[] {
    return this.#reports
  }

  /** Forgets what was reported so far, except where the page lies. */
  forget(): void {
    const ready = this.#reports.findLast((report) => report.is === 'ready')
    this.#reports.splice(0, this.#reports.length, ...(ready ? [ready] : []))
  }

  /** The first report of a kind that fits, waiting for it. */
  report<K extends DeskReport['is']>(kind: K, fits: (report: Extract<DeskReport, { is: K }>) => boolean = () => true, ms = 10_000) {
    type Wanted = Extract<DeskReport, { is: K }>
    return until(() => this.#reports.find((report): report is Wanted => report.is === kind && fits(report as Wanted)), {
      ms,
      what: `the page in the desktop reports ${kind} (it reported ${JSON.stringify(this.#reports.slice(-5))})`,
    })
  }

  /** The place of a point of the page on the desktop's screen, in pixels. */
  async place(x: number, y: number): Promise<{ x: number; y: number }> {
    await this.report('ready', () => true, 30_000)
    const ready = this.#reports.findLast((report) => report.is === 'ready')
    return { x: Math.round(x + (ready?.left ?? 0)), y: Math.round(y + (ready?.top ?? 0)) }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) {
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

/** Middle of the field that changes when it is clicked. */
export const target = { x: 500, y: 300 }
export const textField = { x: 800, y: 350 }
export const richField = { x: 800, y: 460 }
/** A click here copies a picture. */
export const pictureField = { x: 450, y: 460 }
/** A click here asks for a file. */
export const fileField = { x: 570, y: 460 }
export const redField = { x: 100, y: 100 }
export const blueField = { fromBottom: 100, x: 100 }
