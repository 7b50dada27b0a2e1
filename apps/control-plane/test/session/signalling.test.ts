import { NekoError } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { names } from './person.fixture.ts'
import { Planes } from './planes.fixture.ts'

describe('signalling', () => {
  it('[WS-40] answers a request with the offer and what was resolved; a payload of null asks for the defaults, none for nothing', async () => {
    await using planes = await Planes.open()
    const ann = await planes.enter('ann')
    ann.send('signal/request')
    expect(names(await ann.news())).toEqual([])
    ann.send('signal/request', null)
    expect(await ann.news()).toEqual([
      {
        event: 'signal/provide',
        payload: {
          sdp: 'offer 1',
          iceservers: expect.any(Array),
          video: { disabled: false, id: 'main', video: 'main', auto: false },
          audio: { disabled: false },
        },
      },
      { event: 'signal/video', payload: { disabled: false, id: 'main', video: 'main', auto: false } },
      { event: 'signal/audio', payload: { disabled: false } },
    ])
    ann.send('signal/request', { audio: { disabled: true }, video: { selector: { id: 'small', type: 'NEAREST' } }, auto: true })
    expect(names(await ann.news())).toEqual(['signal/provide', 'signal/video'])
    expect(planes.node.asked('peer.open').at(-1)).toMatchObject({
      session: ann.id,
      kind: 'v3',
      video: { selector: { id: 'small', type: 'nearest', bitrate: 0 }, auto: true },
      audio: { disabled: true },
    })
  })

  it('[WS-41] says nothing where the stream does not exist or its type is none, and goes on', async () => {
    await using planes = await Planes.open()
    const ann = await planes.enter('ann')
    ann.send('signal/request', { video: { selector: { id: 'nope' } } })
    ann.send('signal/request', { video: { selector: { id: 'main', type: 'foo' } } })
    expect(await ann.news()).toEqual([])
    ann.send('signal/request', {})
    expect(names(await ann.news())).toEqual(['signal/provide', 'signal/video', 'signal/audio'])
  })

  it('[WS-42] is for those who may watch', async () => {
    await using planes = await Planes.open()
    const [ann, boss] = [await planes.enter('ann'), await planes.admin('boss')]
    await boss.does(`/api/members/${ann.id}`, { body: { can_watch: false } })
    await ann.news()
    ann.send('signal/request', {})
    expect(await ann.news()).toEqual([])
    expect(planes.node.asked('peer.open')).toEqual([])
  })

  it('[WS-43] without a peer is dropped in silence', async () => {
    await using planes = await Planes.open({ count: 1 })
    const ann = await planes.enter('ann')
    ann.send('signal/answer', { sdp: 'x' })
    ann.send('signal/offer', { sdp: 'x' })
    ann.send('signal/candidate', { candidate: 'candidate:1' })
    ann.send('signal/restart')
    ann.send('signal/video', { disabled: true })
    ann.send('signal/audio', { disabled: true })
    expect(await ann.news()).toEqual([])
    expect(planes.node.calls).toEqual([])
  })

  it('[WS-44] reaches the session’s newest peer, also through another socket on another instance', async () => {
    await using planes = await Planes.open()
    const ann = await planes.enter('ann')
    ann.send('signal/request', {})
    ann.send('signal/request', {})
    ann.send('signal/candidate', { candidate: 'candidate:early', sdpMid: '0', sdpMLineIndex: 0 })
    ann.send('signal/answer', { sdp: 'mine' })
    await ann.settled()
    expect(planes.node.asked('peer.candidate')).toEqual([{ session: ann.id, peer: 'peer-2', candidate: 'candidate:early' }])
    expect(planes.node.asked('peer.answer')).toEqual([{ session: ann.id, peer: 'peer-2', sdp: 'mine' }])
    await planes.node.watching(ann.id, 'peer-2', true)
    await ann.connect(1)
    ann.send('signal/restart')
    expect(await ann.hears('signal/restart')).toEqual({ sdp: 'restart' })
    ann.send('signal/offer', { sdp: 'mine' })
    expect(await ann.hears('signal/answer')).toEqual({ sdp: 'answer' })
    expect(planes.node.asked('peer.restart')).toEqual([{ session: ann.id, peer: 'peer-2' }])
  })

  it('[WS-45] tells of a change of video or sound once, and only where there was one', async () => {
    await using planes = await Planes.open()
    const ann = await planes.enter('ann')
    ann.send('signal/request', {})
    await ann.news()
    const off = { disabled: true, id: 'main', video: 'main', auto: false }
    planes.node.answers['peer.video'] = () => ({ video: off, changed: true })
    planes.node.answers['peer.audio'] = () => ({ audio: { disabled: false }, changed: false })
    ann.send('signal/video', { disabled: true })
    ann.send('signal/audio', { disabled: false })
    expect(await ann.news()).toEqual([{ event: 'signal/video', payload: off }])
    // What a client of before V3 sends: nothing in it is known, so nothing is asked for.
    ann.send('signal/video', { video: 'small' })
    await ann.settled()
    expect(planes.node.asked('peer.video').at(-1)).toMatchObject({ video: {} })
  })

  it('[WS-46] passes on what the node says of the current peer, and nothing of a replaced one', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await planes.enter('ann', { plane: 1 }), await planes.enter('bob')]
    ann.send('signal/request', {})
    ann.send('signal/request', {})
    await ann.news()
    await bob.news()
    const candidate = { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: null }
    await planes.node.watching(ann.id, 'peer-2', true)
    for (const peer of ['peer-1', 'peer-2']) {
      await planes.node.news(ann.id, peer, { is: 'candidate', candidate })
      await planes.node.news(ann.id, peer, { is: 'offer', sdp: peer })
      await planes.node.news(ann.id, peer, { is: 'closed' })
    }
    await planes.node.watching(ann.id, 'peer-2', false)
    expect(await ann.news()).toMatchObject([
      { event: 'session/state', payload: { is_watching: true } },
      { event: 'signal/candidate', payload: candidate },
      { event: 'signal/offer', payload: { sdp: 'peer-2' } },
      { event: 'signal/close', payload: null },
      { event: 'session/state', payload: { is_watching: false } },
    ])
    expect(names(await bob.news())).toEqual(['session/state', 'session/state'])
  })

  it('[WS-47] gives a viewer a new peer, as he had wished, when the node lost his or starts anew', async () => {
    await using planes = await Planes.open()
    const ann = await planes.enter('ann')
    ann.send('signal/request', { video: { selector: { id: 'small' } }, audio: { disabled: true } })
    await ann.news()
    await planes.node.news(ann.id, 'peer-1', { is: 'lost' })
    expect(await ann.hears('signal/provide')).toMatchObject({ sdp: 'offer 2', video: { id: 'small' }, audio: { disabled: true } })
    await planes.node.tell('ready', {})
    expect(await ann.hears('signal/provide')).toMatchObject({ sdp: 'offer 3', video: { id: 'small' } })
  })

  it('[MOV-1979] the late word that an old peer is lost, while a new one is being opened, gives him no second one', async () => {
    await using planes = await Planes.open({ count: 1 })
    const ann = await planes.enter('ann')
    ann.send('signal/request', {})
    await ann.hears('signal/provide')
    const open = planes.node.answers['peer.open']
    planes.node.answers['peer.open'] = async (args) => {
      await planes.node.news(ann.id, 'peer-1', { is: 'lost' })
      return open!(args)
    }
    await planes.node.tell('ready', {})
    expect(await ann.hears('signal/provide')).toMatchObject({ sdp: 'offer 2' })
    await planes.node.news(ann.id, 'peer-2', { is: 'offer', sdp: 'more' })
    await ann.hears('signal/offer')
    expect(planes.node.asked('peer.open')).toHaveLength(2)
  })

  it('[MOV-1981] a node that claims its room again, which a Redis without its memory forgot, leaves everybody his picture', async () => {
    await using planes = await Planes.open({ count: 1 })
    const ann = await planes.enter('ann')
    ann.send('signal/request', {})
    await ann.hears('signal/provide')
    await planes.node.watching(ann.id, 'peer-1', true)
    await ann.news()
    await planes.node.claimAgain()
    await planes.node.news(ann.id, 'peer-1', { is: 'offer', sdp: 'more' })
    expect(names(await ann.news())).toEqual(['signal/offer'])
    expect(planes.node.room.view.session(ann.id)?.state).toMatchObject({ is_watching: true, peer: 'peer-1' })
    expect(planes.node.asked('peer.open')).toHaveLength(1)
  })

  it('[RLY-1766] tries again where there is no place for him at once', async () => {
    await using planes = await Planes.open({ count: 1 })
    const ann = await planes.enter('ann')
    ann.send('signal/request', {})
    await ann.hears('signal/provide')
    const open = planes.node.answers['peer.open']
    let refusals = 2
    planes.node.answers['peer.open'] = (args) => {
      if (refusals-- > 0 || !open) {
        throw new NekoError('unavailable', 'full')
      }
      return open(args)
    }
    await planes.node.news(ann.id, 'peer-1', { is: 'lost' })
    expect(await ann.hears('signal/provide')).toMatchObject({ sdp: 'offer 2' })
    expect(planes.node.asked('peer.open')).toHaveLength(4)
  })
})
