import { NekoError, until } from '@neko-edge/kit'
import { encodePiece, pieceHead, type StreamFormat } from '@neko-edge/protocol'
import { feedChannel, watchSession } from '@neko-edge/store'
import { FakeClock, ThinViewer } from '@neko-edge/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Person } from '../session/person.fixture.ts'
import { Planes } from '../session/planes.fixture.ts'

interface Piece {
  readonly format: StreamFormat
  readonly data: number[]
  readonly isKey?: boolean
  readonly isPartial?: boolean
  /** It never arrives. */
  readonly isLost?: boolean
}

/** Sends the pieces of feeds as a capture node does. */
class Sender {
  readonly #planes: Planes
  readonly #sent = new Map<string, number>()

  constructor(planes: Planes) {
    this.#planes = planes
  }

  async send(feed: string, { format, data, isKey = true, isPartial = false, isLost = false }: Piece): Promise<void> {
    const offset = this.#sent.get(feed) ?? 0
    const bytes = encodePiece(offset, { format, isKey, isPartial, time: 7, data: Uint8Array.from(data) })
    this.#sent.set(feed, offset + bytes.length)
    if (!isLost) {
      await this.#planes.node.connection.publish(feedChannel(feed), bytes)
    }
  }
}

describe('what a control plane gets of the node for the thin line', () => {
  let planes: Planes
  let node: Sender
  let ann: Person
  const lines: ThinViewer[] = []

  beforeAll(async () => {
    planes = await Planes.open()
    node = new Sender(planes)
    ann = await planes.enter('ann')
  })

  afterEach(async () => {
    await Promise.all(lines.splice(0).map((line) => line.close()))
    await until(() => opened().every((feed) => planes.node.asked('feed.close').some((args) => args['feed'] === feed)), {
      ms: 5_000,
      what: 'every feed is given back',
    })
    planes.node.calls.length = 0
  })

  afterAll(() => planes[Symbol.asyncDispose]())

  async function open(person: Person, picture: 'video' | 'jpeg'): Promise<ThinViewer> {
    const line = await ThinViewer.open({ url: planes.url(1), token: person.token })
    lines.push(line)
    line.watch({ picture })
    return line
  }

  const opened = (): string[] => planes.node.asked('feed.open').map(({ feed }) => String(feed))
  const feedOf = (is: string, count = 1) =>
    until(
      () => {
        const all = planes.node.asked('feed.open').filter(({ source }) => (source as { is: string }).is === is)
        return all.length >= count ? String(all.at(-1)?.['feed']) : undefined
      },
      { ms: 5_000, what: `feed ${count} of ${is}` },
    )

  const send = (feed: string, piece: Piece) => node.send(feed, piece)

  it('[STR-1320] pieces are put together, and the newest still picture is shown to a newcomer at once', async () => {
    const line = await open(ann, 'jpeg')
    const feed = await feedOf('jpeg')
    await send(feed, { format: 'jpeg', data: [1, 2], isPartial: true })
    await send(feed, { format: 'jpeg', data: [3], isPartial: true })
    await send(feed, { format: 'jpeg', data: [4] })
    expect(await line.next('jpeg')).toMatchObject({ isKey: true, time: 7, bytes: Uint8Array.of(1, 2, 3, 4) })
    const bob = await open(await planes.enter('bob'), 'jpeg')
    expect((await bob.next('jpeg')).bytes).toEqual(Uint8Array.of(1, 2, 3, 4))
    expect(opened()).toHaveLength(1)
  })

  it('[STR-1321] a node that comes anew is asked anew, and so is one that has forgotten; what an older feed still brings is dropped', async () => {
    const line = await open(ann, 'jpeg')
    const first = await feedOf('jpeg')
    await planes.node.tell('ready', {})
    const second = await feedOf('jpeg', 2)
    await send(first, { format: 'jpeg', data: [1] })
    await send(second, { format: 'jpeg', data: [2] })
    expect((await line.next('jpeg')).bytes).toEqual(Uint8Array.of(2))
    planes.node.answers['feed.seen'] = () => {
      throw new NekoError('notFound', 'that feed has ended')
    }
    const third = await feedOf('jpeg', 3)
    planes.node.answers['feed.seen'] = () => null
    await send(third, { format: 'jpeg', data: [3] })
    expect((await line.next('jpeg')).bytes).toEqual(Uint8Array.of(3))
  })

  it('[STR-1322] a node that gives nothing is asked again until it does', async () => {
    planes.node.answers['feed.open'] = () => {
      throw new NekoError('unavailable', 'not now')
    }
    const line = await open(ann, 'jpeg')
    await feedOf('jpeg')
    planes.node.answers['feed.open'] = () => null
    await send(await feedOf('jpeg', 2), { format: 'jpeg', data: [5] })
    expect((await line.next('jpeg')).bytes).toEqual(Uint8Array.of(5))
  })

  it('[STR-1323] the node hears what arrives: once a second, and sooner where much does', async () => {
    await open(ann, 'jpeg')
    const feed = await feedOf('jpeg')
    const seen = () => planes.node.asked('feed.seen').flatMap((args) => (args['feed'] === feed ? [Number(args['bytes'])] : []))
    await until(() => seen().length >= 2, { ms: 5_000, what: 'two words' })
    expect(seen().every((bytes) => bytes === 0)).toBe(true)
    const many = Array.from({ length: 36_000 }, () => 0)
    for (let count = 0; count < 10; count++) {
      await send(feed, { format: 'jpeg', data: many, isPartial: true })
    }
    await until(() => seen().some((bytes) => bytes >= 256 * 1024 && bytes < 10 * many.length), { ms: 500, what: 'a word in between' })
  })

  it('[STR-1327] what lacks a piece is left out, and then everything up to a key frame, which is asked for; the loss counts as seen', async () => {
    const line = await open(ann, 'video')
    const feed = await feedOf('video')
    const video = (value: number, more: Partial<Piece> = {}) => send(feed, { format: 'vp8', data: [value], ...more })
    await video(1)
    expect((await line.next('vp8')).bytes).toEqual(Uint8Array.of(1))
    await video(2, { isPartial: true })
    await video(2, { isPartial: true, isLost: true })
    await video(2)
    // The first was for the newcomer; it is asked for again with each frame that is of no use, four times a second at most.
    let useless = 0
    const isAsked = async () => {
      await video(3, { isKey: false })
      useless += 1
      return planes.node.asked('feed.key').length >= 2
    }
    await until(isAsked, { ms: 5_000, what: 'a key frame is asked for' })
    await video(4)
    await video(5, { isKey: false })
    expect((await line.next('vp8')).bytes).toEqual(Uint8Array.of(4))
    expect((await line.next('vp8')).bytes).toEqual(Uint8Array.of(5))
    const seen = () =>
      planes.node.asked('feed.seen').some((args) => args['feed'] === feed && args['bytes'] === (6 + useless) * (pieceHead + 1))
    await until(seen, { ms: 5_000, what: 'all pieces count' })
  })

  it('[STR-1324] somebody whose line was held by a process that died does not watch any more', async () => {
    await planes.node.room.run(watchSession, [ann.id, 'somebody-dead.1', '1', 'stream'])
    const watching = () => planes.node.room.view.session(ann.id)?.state
    expect(watching()).toMatchObject({ is_watching: true, stream: 'somebody-dead.1' })
    await until(() => watching()?.is_watching === false, { ms: 10_000, what: 'ann watches no more' })
    expect(watching()?.stream).toBeUndefined()
  })

  it('[STR-1325] who watches over WebRTC goes on watching when the thin line ends, and the other way round', async () => {
    const state = async () => planes.node.room.view.session(ann.id)?.state.is_watching
    const tell = (carrier: string, isOn: boolean, kind: 'peer' | 'stream') =>
      planes.node.room.run(watchSession, [ann.id, carrier, isOn ? '1' : '0', kind])
    const line = await open(ann, 'jpeg')
    await send(await feedOf('jpeg'), { format: 'jpeg', data: [1] })
    await until(state, { ms: 5_000, what: 'ann watches' })
    await tell('peer-9', true, 'peer')
    await line.close()
    await until(() => planes.node.room.view.session(ann.id)?.state.stream === undefined, { ms: 5_000, what: 'no line' })
    expect(await state()).toBe(true)
    const again = await open(ann, 'jpeg')
    await send(await feedOf('jpeg', 2), { format: 'jpeg', data: [1] })
    await until(() => planes.node.room.view.session(ann.id)?.state.stream !== undefined, { ms: 5_000, what: 'a line' })
    await tell('peer-9', false, 'peer')
    expect(await state()).toBe(true)
    await again.close()
    await until(async () => (await state()) === false, { ms: 5_000, what: 'ann watches no more' })
  })
})

describe('a line that does not keep up', () => {
  it('[STR-1326] gets the next lesser picture of the room when it is late again and again, unless it chose one', async () => {
    const clock = new FakeClock()
    await using planes = await Planes.open({ count: 1, clock })
    const node = new Sender(planes)
    const asked = (id: string) => planes.node.asked('feed.open').filter(({ source }) => (source as { id?: string }).id === id)
    const line = await ThinViewer.open({ url: planes.url(0), token: (await planes.enter('ann')).token })
    line.isTelling = false
    let dropped = 0

    /** A key frame is under way for too long, and the next one finds it so. */
    async function late(): Promise<void> {
      const feed = String(asked('main').at(-1)?.['feed'])
      await node.send(feed, { format: 'vp8', data: [1] })
      await line.next('vp8')
      clock.advance(1_001)
      await node.send(feed, { format: 'vp8', data: [1] })
      dropped += 1
      const isDropped = async () => (await planes.metric('neko_edge_stream_frames_total{format="vp8",outcome="dropped"}')) >= dropped
      await until(isDropped, { ms: 5_000, what: 'a frame left out' })
      line.tell()
    }
    line.watch({ picture: 'video', id: 'main' })
    await until(() => asked('main').length === 1, { ms: 5_000, what: 'the picture' })
    await late()
    await late()
    await late()
    await late()
    expect(asked('small')).toEqual([])
    line.watch({ picture: 'video' })
    await until(() => asked('main').length === 2, { ms: 5_000, what: 'the best picture' })
    await late()
    await late()
    await late()
    await until(() => asked('small').length === 1, { ms: 5_000, what: 'the lesser picture' })
    await line.close()
  })
})
