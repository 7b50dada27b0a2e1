/**
 * A V3 viewer of the smallest kind, for the page of a real browser, in which a test can see which picture arrives. Plain JavaScript, since it is
 * injected as text.
 */
globalThis.watcher = {
  /** Connects and watches as `request` says; `ports` says where the server's media port is to be found instead, if anywhere. */
  async open({ token, request, ports }) {
    Object.assign(this, { messages: [], early: [], ports })
    this.video = Object.assign(document.createElement('video'), { muted: true, autoplay: true, playsInline: true })
    document.body.replaceChildren(this.video)
    this.socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/ws?token=${encodeURIComponent(token)}`)
    this.socket.onmessage = ({ data }) => this.receive(JSON.parse(data))
    await new Promise((resolve) => {
      this.socket.onopen = resolve
    })
    this.send('signal/request', request)
  },

  send(event, payload) {
    this.socket.send(JSON.stringify({ event, payload }))
  },

  async receive({ event, payload }) {
    this.messages.push({ event, payload })
    if (event === 'signal/provide') {
      this.peer = new RTCPeerConnection({ iceServers: [] })
      this.peer.ontrack = ({ track, streams }) => {
        if (track.kind === 'video') {
          this.video.srcObject = streams[0]
        }
      }
      await this.answer(payload.sdp)
    } else if (event === 'signal/offer') {
      await this.answer(payload.sdp)
    }
  },

  async answer(sdp) {
    const [from, to] = this.ports ?? [0, 0]
    await this.peer.setRemoteDescription({ type: 'offer', sdp: sdp.replaceAll(new RegExp(`( udp \\d+ \\S+ )${from} `, 'gi'), `$1${to} `) })
    await this.peer.setLocalDescription(await this.peer.createAnswer())
    this.send('signal/answer', { sdp: this.peer.localDescription.sdp })
  },

  /** The width of the picture that arrives, frames decoded so far, and bytes received. */
  async seen() {
    const stats = [...(await this.peer.getStats()).values()].filter(({ type }) => type === 'inbound-rtp')
    const { framesDecoded = 0, bytesReceived = 0 } = stats.find(({ kind }) => kind === 'video') ?? {}
    const audio = stats.find(({ kind }) => kind === 'audio')
    return { width: this.video.videoWidth, frames: framesDecoded, bytes: bytesReceived, audioPackets: audio?.packetsReceived ?? 0 }
  },

  /** The newest `signal/video` or `signal/audio`. */
  last(event) {
    return this.messages.findLast((message) => message.event === event)?.payload
  },
}
