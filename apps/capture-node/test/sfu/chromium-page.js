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
  const inbound = async (kind) => {
    const reports = [...(await pc.getStats()).values()]
    return reports.find((report) => report.type === 'inbound-rtp' && report.kind === kind)
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
      const report = await inbound('video')
      const codec = [...(await pc.getStats()).values()].find(({ id }) => id === report?.codecId)?.mimeType
      return { framesDecoded: report?.framesDecoded ?? 0, width: report?.frameWidth ?? 0, height: report?.frameHeight ?? 0, codec }
    },
    audioBytes: async () => (await inbound('audio'))?.bytesReceived ?? 0,
    channel: () => held && { label: held.label, readyState: held.readyState, id: held.id, ordered: held.ordered },
    messages: () => messages,
    tracks: () => tracks,
    send: (bytes) => held.send(new Uint8Array(bytes)),
    hangUp: () => pc.close(),
  }
})()
