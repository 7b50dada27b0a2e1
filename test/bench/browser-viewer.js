/**
 * A V3 client of the smallest kind, for the page of a real browser: injected there by browser.ts, which calls `benchViewer`.
 * Plain JavaScript, because the type checker of this workspace knows no DOM.
 */
globalThis.benchViewer = {
  /** Connects and watches. Resolves at the first decoded frame with the milliseconds since the WebSocket was open. */
  async open(token) {
    this.video = Object.assign(document.createElement('video'), { muted: true, autoplay: true, playsInline: true })
    document.body.replaceChildren(this.video)
    this.socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/ws?token=${encodeURIComponent(token)}`)
    const frame = new Promise((resolve) => this.video.requestVideoFrameCallback(() => resolve(performance.now())))
    this.peer = undefined
    this.early = []
    this.hosting = Promise.withResolvers()
    this.channel = Promise.withResolvers()
    let openedAt = 0
    this.socket.onopen = () => {
      openedAt = performance.now()
      this.send('signal/request', { video: {}, audio: {} })
    }
    this.socket.onmessage = ({ data }) => this.receive(JSON.parse(data))
    return (await frame) - openedAt
  },

  send(event, payload) {
    this.socket.send(JSON.stringify({ event, payload }))
  },

  async receive({ event, payload }) {
    if (event === 'signal/provide') {
      await this.answer(payload)
    } else if (event === 'signal/candidate') {
      await (this.peer?.remoteDescription ? this.peer.addIceCandidate(payload) : this.early.push(payload))
    } else if (event === 'control/host' && payload.has_host) {
      this.hosting.resolve()
    }
  },

  async answer({ sdp, iceservers }) {
    this.peer = new RTCPeerConnection({ iceServers: iceservers })
    this.peer.ontrack = ({ track, streams, receiver }) => {
      if (track.kind === 'video') {
        // As an interactive client asks: the newest frame, not the smoothest film. Any server is measured with it.
        receiver.jitterBufferTarget = 0
        this.video.srcObject = streams[0]
      }
    }
    this.peer.onicecandidate = ({ candidate }) => candidate && this.send('signal/candidate', candidate.toJSON())
    this.peer.ondatachannel = ({ channel }) => {
      channel.binaryType = 'arraybuffer'
      if (channel.readyState === 'open') {
        this.channel.resolve(channel)
      }
      channel.onopen = () => this.channel.resolve(channel)
    }
    await this.peer.setRemoteDescription({ type: 'offer', sdp })
    for (const candidate of this.early) {
      await this.peer.addIceCandidate(candidate)
    }
    await this.peer.setLocalDescription(await this.peer.createAnswer())
    this.send('signal/answer', { sdp: this.peer.localDescription.sdp })
  },

  /** Takes control. */
  async host() {
    this.send('control/request')
    await this.hosting.promise
    await this.channel.promise
  },

  /** Clicks at a place of the screen, and resolves with the milliseconds until the picture there changes by a half, or with null. */
  async click({ x, y, limitMs }) {
    const channel = await this.channel.promise
    const before = this.brightness(x, y)
    const message = (opcode, write) => {
      const view = new DataView(new ArrayBuffer(7))
      view.setUint8(0, opcode)
      view.setUint16(1, 4)
      write(view)
      channel.send(view.buffer)
    }
    const sentAt = performance.now()
    message(1, (view) => {
      view.setUint16(3, x)
      view.setUint16(5, y)
    })
    message(5, (view) => view.setUint32(3, 1))
    message(6, (view) => view.setUint32(3, 1))
    while (performance.now() - sentAt < limitMs) {
      const left = limitMs - (performance.now() - sentAt)
      await Promise.race([
        new Promise((resolve) => this.video.requestVideoFrameCallback(resolve)),
        new Promise((resolve) => setTimeout(resolve, left)),
      ])
      if (Math.abs(this.brightness(x, y) - before) > 128) {
        return performance.now() - sentAt
      }
    }
    return null
  },

  /** The red of one pixel of the picture, of a place well away from the pointer. */
  brightness(x, y) {
    this.canvas ??= Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true })
    this.canvas.drawImage(this.video, x + 100, y + 100, 1, 1, 0, 0, 1, 1)
    return this.canvas.getImageData(0, 0, 1, 1).data[0]
  },

  close() {
    this.peer?.close()
    this.socket.close(1000)
  },
}
