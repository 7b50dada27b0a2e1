import { describe, expect, it } from 'vitest'
import { Cell } from './cell.ts'
import { takenIn } from './peer.ts'
import { Share, type ShareKind } from './share.ts'

class Track extends EventTarget {
  isStopped = false
  stop() {
    this.isStopped = true
  }
}

function setUp() {
  const said: string[] = []
  const devices: { give: (track: Track) => void; refuse: (error: unknown) => void }[] = []
  const share = new Share({
    takes: new Cell<ReadonlySet<ShareKind>>(new Set(['audio', 'video'])),
    openDevice: () =>
      new Promise((resolve, reject) => {
        // Nothing here reads more of a track than this one has.
        devices.push({ give: (track) => resolve(track as unknown as MediaStreamTrack), refuse: reject })
      }),
    publish: (kind: ShareKind, track) => said.push(`${track ? '+' : '-'}${kind}`),
  })
  return { devices, share, said: () => said.splice(0) }
}

describe('Share', () => {
  it('[WEB-1450] a device that is on is sent, again over a new connection, and closed when it is off', async () => {
    const { devices, said, share } = setUp()
    const starting = share.start('audio')
    const track = new Track()
    devices[0]?.give(track)
    await starting
    expect([said(), [...share.on.value]]).toEqual([['+audio'], ['audio']])
    share.again()
    expect(said()).toEqual(['+audio'])
    share.stop('audio')
    expect([said(), [...share.on.value], track.isStopped]).toEqual([['-audio'], [], true])
    share.stop('audio')
    share.again()
    expect(said()).toEqual([])
  })

  it('[WEB-1451] one that was unplugged is off; one that comes when it is not wanted any more is closed', async () => {
    const { devices, said, share } = setUp()
    const one = share.start('video')
    const unplugged = new Track()
    devices[0]?.give(unplugged)
    await one
    unplugged.dispatchEvent(new Event('ended'))
    expect([said(), [...share.on.value]]).toEqual([['+video', '-video'], []])
    const two = share.start('audio')
    share.close()
    const late = new Track()
    devices[1]?.give(late)
    await two
    expect([said(), late.isStopped]).toEqual([[], true])
  })

  it('[WEB-1452] a refusal is told from a device that is not there', async () => {
    const { devices, share } = setUp()
    const refused = share.start('audio')
    devices[0]?.refuse(new DOMException('no', 'NotAllowedError'))
    await expect(refused).rejects.toMatchObject({ code: 'forbidden' })
    const missing = share.start('audio')
    devices[1]?.refuse(new DOMException('no', 'NotFoundError'))
    await expect(missing).rejects.toMatchObject({ code: 'notFound' })
  })

  it('[WEB-1457] the offer of the server tells what it would take', () => {
    const offer = (audio: string, video: string) =>
      `v=0\r\nm=audio 7 X 96\r\na=${audio}\r\nm=video 7 X 97\r\na=mid:1\r\na=${video}\r\nm=application 7 X 1\r\n`
    expect([...takenIn(offer('sendrecv', 'sendonly'))]).toEqual(['audio'])
    expect([...takenIn(offer('sendonly', 'recvonly'))]).toEqual(['video'])
    expect([...takenIn('')]).toEqual([])
  })
})
