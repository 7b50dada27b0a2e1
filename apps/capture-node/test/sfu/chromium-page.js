/* Runs in a page of Chromium: an RTCPeerConnection that plays what it gets, and keeps what comes on its data channels. Plain script: the test loads it as text. */
globalThis.viewer = (() => {
  const pc = new RTCPeerConnection()
  const messages = []
  const tracks = []
  let held

  const hold = (channel) => {
    held = channel
    channel.binaryType = 'arraybuffer'
    channel.onmessage = ({ data }) => messages.push([...new Uint8Array(data)])
  }
  pc.ondatachannel = ({ channel }) => hold(channel)
  pc.ontrack = ({ track, streams }) => {
    tracks.push(`${streams[0]?.id}/${track.id}`)
    const element = document.createElement(track.kind)
    element.srcObject = new MediaStream([track])
    element.muted = true
    element.autoplay = true
    document.body.append(element)
  }

  const local = async () => {
    await pc.setLocalDescription()
    return pc.localDescription.sdp
  }
  /* getUserMedia is there on secure pages only; an oscillator and a canvas are sources as real. */
  const tone = () => {
    const audio = new AudioContext()
    const oscillator = audio.createOscillator()
    const out = audio.createMediaStreamDestination()
    oscillator.connect(out)
    oscillator.start()
    return out.stream.getAudioTracks()[0]
  }
  const drawing = () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 })
    const context = canvas.getContext('2d')
    let step = 0
    setInterval(() => {
      step += 1
      context.fillStyle = `rgb(${step % 256} 80 80)`
      context.fillRect(step % 160, 0, 8, 120)
    }, 40)
    return canvas.captureStream(25).getVideoTracks()[0]
  }
  /* Root mean square of the newest sound, 0…1. Statistics count nothing where no element plays aloud. */
  let analyser
  const loudness = () => {
    const track = pc.getReceivers().find((receiver) => receiver.track.kind === 'audio')?.track
    if (!analyser && track) {
      const context = new AudioContext()
      analyser = context.createAnalyser()
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
    }
    const samples = new Float32Array(analyser?.fftSize ?? 1)
    analyser?.getFloatTimeDomainData(samples)
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
  }
  const inbound = async (kind) => {
    const reports = await pc.getStats()
    const report = [...reports.values()].find((one) => one.type === 'inbound-rtp' && one.kind === kind)
    return { ...report, mimeType: reports.get(report?.codecId)?.mimeType }
  }

  return {
    createChannel: () => hold(pc.createDataChannel('data')),
    answer: async (sdp) => {
      await pc.setRemoteDescription({ type: 'offer', sdp })
      return local()
    },
    takeAnswer: (sdp) => pc.setRemoteDescription({ type: 'answer', sdp }),
    share: ({ audio, video }) => {
      for (const track of [audio && tone(), video && drawing()].filter(Boolean)) {
        pc.addTrack(track, new MediaStream([track]))
      }
      return local()
    },
    unshare: () => {
      for (const sender of pc.getSenders()) {
        pc.removeTrack(sender)
      }
      return local()
    },
    video: async () => {
      const { framesDecoded = 0, frameWidth: width = 0, frameHeight: height = 0, mimeType: codec } = await inbound('video')
      return { framesDecoded, width, height, codec }
    },
    audio: async () => {
      const { bytesReceived = 0, mimeType: codec } = await inbound('audio')
      return { bytesReceived, loudness: loudness(), codec }
    },
    channel: () => held && { label: held.label, readyState: held.readyState, id: held.id, ordered: held.ordered },
    messages: () => messages,
    tracks: () => tracks,
    send: (bytes) => held.send(new Uint8Array(bytes)),
    hangUp: () => pc.close(),
  }
})()
