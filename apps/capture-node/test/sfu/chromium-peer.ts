import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Peer } from '../../src/sfu/sfu.ts'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
]

export interface VideoSeen {
  readonly framesDecoded: number
  readonly width: number
  readonly height: number
  /** Media type, once something was received. */
  readonly codec?: string
}

export interface AudioSeen {
  readonly bytesReceived: number
  /** Root mean square of what is heard now, 0…1. */
  readonly loudness: number
  readonly codec?: string
}

/** A viewer in real Chromium, driven by the test: it hands over descriptions, nothing else. */
export class ChromiumPeer {
  readonly #page: Page

  private constructor(page: Page) {
    this.#page = page
  }

  static async open(context: BrowserContext, { createsChannel = false } = {}): Promise<ChromiumPeer> {
    const page = await context.newPage()
    await page.goto('about:blank')
    await page.evaluate(await readFile(new URL('chromium-page.js', import.meta.url), 'utf8'))
    const peer = new ChromiumPeer(page)
    if (createsChannel) {
      await peer.#call('createChannel')
    }
    return peer
  }

  /** Takes an offer and gives the answer. */
  answer(sdp: string): Promise<string> {
    return this.#call('answer', sdp)
  }

  /** Answers the first offer of a peer. */
  async join(peer: Peer): Promise<string> {
    const sdp = await this.answer(peer.offer.sdp)
    await peer.answer(sdp)
    return sdp
  }

  /** Adds tracks that the page makes itself, and gives the offer that this needs. */
  share(tracks: { audio: boolean; video: boolean }): Promise<string> {
    return this.#call('share', tracks)
  }

  /** Stops sending and gives the offer that says so. */
  unshare(): Promise<string> {
    return this.#call('unshare')
  }

  takeAnswer(sdp: string): Promise<void> {
    return this.#call('takeAnswer', sdp)
  }

  video(): Promise<VideoSeen> {
    return this.#call('video')
  }

  audio(): Promise<AudioSeen> {
    return this.#call('audio')
  }

  channel(): Promise<{ label: string; readyState: string; id: number | null; ordered: boolean } | undefined> {
    return this.#call('channel')
  }

  messages(): Promise<number[][]> {
    return this.#call('messages')
  }

  send(bytes: readonly number[]): Promise<void> {
    return this.#call('send', bytes)
  }

  tracks(): Promise<string[]> {
    return this.#call('tracks')
  }

  hangUp(): Promise<void> {
    return this.#call('hangUp')
  }

  #call<T>(method: string, argument?: unknown): Promise<T> {
    return this.#page.evaluate(`viewer.${method}(${argument === undefined ? '' : JSON.stringify(argument)})`)
  }
}

/** Chromium with a profile of its own. `kill` ends it as a power cut would. */
export async function openChromium() {
  const profile = await mkdtemp(join(tmpdir(), 'neko-sfu-'))
  const server = await chromium.launchPersistentContext(profile, { executablePath: '/usr/bin/chromium', headless: true, args: flags })
  const pids = async (): Promise<number[]> => {
    const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const lines = await Promise.all(all.map(async (pid) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })))
    return lines.filter(({ line }) => line.includes(profile)).map(({ pid }) => Number(pid))
  }
  return {
    context: server,
    async kill(): Promise<void> {
      for (const pid of await pids()) {
        process.kill(pid, 'SIGKILL')
      }
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}
