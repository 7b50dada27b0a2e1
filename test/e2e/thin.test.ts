import { until } from '@neko-edge/kit'
import { freeTcpPort, freeUdpPort, UdpShaper } from '@neko-edge/testing'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { TurnServer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, target } from './desk-page.ts'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

/** What each rung of the ladder takes away, before the page runs. */
const noWebRtc = 'delete globalThis.RTCPeerConnection'
const noWebCodecs = 'delete globalThis.VideoDecoder; delete globalThis.AudioDecoder'
/** The candidates of these protocols lead to an address that nobody has (RFC 5737): as behind a firewall that drops what goes there. */
const nowhere = (protocols: 'udp' | 'tcp' | 'udp|tcp') => `
  const candidates = /(candidate:\\S+ \\d+ (?:${protocols}) \\d+ )127\\.0\\.0\\.1/gi
  const accept = RTCPeerConnection.prototype.setRemoteDescription
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    return accept.call(this, { type, sdp: globalThis.isReachable ? sdp : sdp.replace(candidates, '$1192.0.2.1') })
  }
  const add = RTCPeerConnection.prototype.addIceCandidate
  RTCPeerConnection.prototype.addIceCandidate = function (init) {
    return globalThis.isReachable || init.candidate.search(candidates) < 0 ? add.call(this, init) : Promise.resolve()
  }`
/** Sound is heard through the gain that the page makes: its loudness, 0…1. */
const tap = `
  const make = AudioContext.prototype.createGain
  AudioContext.prototype.createGain = function () {
    return (globalThis.tapped = make.call(this))
  }
  globalThis.loudness = async () => {
    const gain = globalThis.tapped
    if (!gain) return 0
    const analyser = new AnalyserNode(gain.context, { fftSize: 8192 })
    gain.connect(analyser)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const samples = new Float32Array(analyser.fftSize)
    analyser.getFloatTimeDomainData(samples)
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
  }`
/** From coming in to the picture, in milliseconds: three seconds for WebRTC, three for the next rung. */
const ladderMs = 6_000

describe('the ladder of ways that a picture takes', () => {
  let desk: DeskPage
  let stack: Stack
  let browser: TestBrowser
  let ann: RoomPage
  let udpPort: number
  let turn: TurnServer

  beforeAll(async () => {
    udpPort = await freeUdpPort()
    desk = await DeskPage.open()
    turn = await TurnServer.open()
    const iceServers = [{ urls: [turn.url], username: turn.username, credential: turn.credential }]
    stack = await Stack.open({
      appUrl: desk.url,
      env: {
        NEKO_WEBRTC_UDPMUX: String(udpPort),
        NEKO_WEBRTC_TCPMUX: String(await freeTcpPort()),
        NEKO_SESSION_IMPLICIT_HOSTING: 'true',
        NEKO_WEBRTC_ICESERVERS_FRONTEND: JSON.stringify(iceServers),
      },
    })
    browser = await TestBrowser.open()
    ann = await RoomPage.enter(browser, { url: stack.url, name: 'ann', password: 'admin' })
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
    await turn?.[Symbol.asyncDispose]()
  })

  /** A click of `who` arrives in the desktop, and ann sees what it does. */
  async function clicks(who: RoomPage): Promise<void> {
    desk.forget()
    const { x, y } = await desk.place(target.x, target.y)
    const brightness = async () => (await ann.colour(x + 50, y + 50))[1]
    const before = await brightness()
    await who.click(x, y)
    const click = await desk.report('click')
    expect(Math.abs(click.x - x) + Math.abs(click.y - y)).toBeLessThanOrEqual(4)
    await until(async () => Math.abs((await brightness()) - before) > 128, { ms: 5_000, what: 'ann sees the field change' })
  }

  it('[WEB-1310] nothing blocked: UDP, and the status line says so', async () => {
    expect(await ann.waitForPath('udp')).toContain('direct over UDP')
  })

  it('[WEB-1311] without WebRTC, the picture comes over the WebSocket within three seconds, and a click arrives', async () => {
    const bob = await RoomPage.knock(browser, { url: stack.url, name: 'bob', password: 'neko', first: `${noWebRtc};${tap}` })
    const startedAt = performance.now()
    await bob.sees(2)
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    expect(await bob.waitForPath('websocket')).toContain('over WebSocket')
    await clicks(bob)
    const loudness = () => bob.page.evaluate('globalThis.loudness()') as Promise<number>
    await until(async () => (await loudness()) > 0.01, { ms: 5_000, what: 'the tone of the desktop is heard' })
    await bob.page.getByRole('button', { name: 'Mute', exact: true }).click()
    await until(async () => (await loudness()) === 0, { ms: 5_000, what: 'silence' })
    await bob.page.getByRole('button', { name: 'Unmute', exact: true }).click()
    await until(async () => (await loudness()) > 0.01, { ms: 5_000, what: 'the tone again' })
    // As over WebRTC, a picture that somebody stops is still, and silent.
    await bob.page.getByRole('button', { name: 'Pause the picture' }).click()
    await until(async () => (await loudness()) === 0, { ms: 5_000, what: 'silence while it stands' })
    const before = await bob.frames()
    await ann.sees(10)
    expect(await bob.frames()).toBe(before)
    await bob.page.locator('.resume').click()
    await bob.sees(3)
    await until(async () => (await loudness()) > 0.01, { ms: 5_000, what: 'the tone goes on' })
    await bob.page.close()
  })

  it('[WEB-1312] without WebRTC and WebCodecs, still pictures come, and a click arrives', async () => {
    const bob = await RoomPage.knock(browser, { url: stack.url, name: 'bob', password: 'neko', first: `${noWebRtc};${noWebCodecs}` })
    const startedAt = performance.now()
    await bob.sees(2)
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    expect(await bob.waitForPath('jpeg')).toContain('still pictures')
    await clicks(bob)
    await bob.page.close()
  })

  it('[WEB-1313] UDP and TCP blocked: the WebSocket takes over, and gives way to WebRTC when that gets through', async () => {
    const bob = await RoomPage.knock(browser, { url: stack.url, name: 'bob', password: 'neko', first: nowhere('udp|tcp') })
    const startedAt = performance.now()
    await bob.sees(2)
    expect(performance.now() - startedAt).toBeLessThan(ladderMs)
    await bob.waitForPath('websocket')
    await clicks(bob)
    // As when the laptop comes to another network.
    await bob.page.evaluate('globalThis.isReachable = true; dispatchEvent(new Event("online"))')
    await bob.waitForPath('udp')
    await bob.sees(2)
    await bob.page.close()
  })

  it('[WEB-1314] UDP blocked: TCP, and a click arrives; UDP when that is open, without a break in the picture', async () => {
    const bob = await RoomPage.knock(browser, { url: stack.url, name: 'bob', password: 'neko', first: nowhere('udp') })
    const startedAt = performance.now()
    await bob.sees(2)
    expect(performance.now() - startedAt).toBeLessThan(ladderMs)
    expect(await bob.waitForPath('tcp')).toContain('direct over TCP')
    await clicks(bob)
    await bob.page.evaluate(() => {
      const video = document.querySelector('neko-view')?.shadowRoot?.querySelector('video')
      const times = [performance.now()]
      Object.assign(globalThis, { times })
      const count = () => {
        times.push(performance.now())
        video?.requestVideoFrameCallback(count)
      }
      video?.requestVideoFrameCallback(count)
    })
    await bob.page.evaluate('globalThis.isReachable = true; dispatchEvent(new Event("online"))')
    await bob.waitForPath('udp')
    await bob.sees(5)
    const times = (await bob.page.evaluate('globalThis.times')) as number[]
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    console.info(`longest gap between two frames ${Math.round(Math.max(...gaps))} ms`)
    expect(Math.max(...gaps)).toBeLessThan(1_000)
    await clicks(bob)
    await bob.page.close()
  })

  it('[WEB-1316] only a TURN server gets through: the picture comes from there, and a click arrives', async () => {
    // What is not relayed is not tried, as where a firewall knows that one address only.
    const onlyRelay = `
      const Peer = RTCPeerConnection
      globalThis.RTCPeerConnection = class extends Peer {
        constructor(options) {
          super({ ...options, iceTransportPolicy: 'relay' })
        }
      }`
    const bob = await RoomPage.knock(browser, { url: stack.url, name: 'bob', password: 'neko', first: onlyRelay })
    const startedAt = performance.now()
    await bob.sees(2)
    expect(performance.now() - startedAt).toBeLessThan(ladderMs)
    expect(await bob.waitForPath('relay')).toContain('through a TURN relay')
    await clicks(bob)
    expect(turn.relayed).toBeGreaterThan(50)
    await bob.page.close()
  })

  it('[WEB-1315] a path that dies while it is used: the WebSocket helps out within seconds, until it comes back', async () => {
    await using shaper = await UdpShaper.open({ host: '127.0.0.1', port: udpPort }, { rate: 100e6 })
    const through = `${nowhere('tcp')}
      const direct = RTCPeerConnection.prototype.setRemoteDescription
      RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
        return direct.call(this, { type, sdp: sdp.replace(/( udp \\d+ \\S+ )${udpPort} /gi, '$1${shaper.port} ') })
      }
      RTCPeerConnection.prototype.addIceCandidate = () => Promise.resolve()`
    const bob = await RoomPage.enter(browser, { url: stack.url, name: 'bob', password: 'neko', first: through })
    await bob.waitForPath('udp')
    shaper.change({ loss: 1 })
    const startedAt = performance.now()
    await bob.waitForPath('websocket')
    await bob.sees(2)
    const tookMs = performance.now() - startedAt
    console.info(`picture back ${Math.round(tookMs)} ms after the cut`)
    expect(tookMs).toBeLessThan(ladderMs)
    await clicks(bob)
    shaper.change({ loss: 0 })
    await bob.waitForPath('udp')
    await bob.sees(2)
    await bob.page.close()
  })
})
