import { describe, expect, it } from 'vitest'
import { names, Planes } from './planes.fixture.ts'

describe('a room in which nobody may be connected twice', () => {
  it('[RUN-1713] lets in whoever is sent over by a control plane that stops, and nobody else', async () => {
    await using planes = await Planes.open({ env: { SESSION_MERCIFUL_RECONNECT: 'false' } })
    const [ann, ben] = [await planes.enter('ann'), await planes.enter('ben', { plane: 1 })]
    const refused = { event: 'system/disconnect', payload: { message: 'already connected' } }
    expect(await (await ann.knock(1)).event('system/disconnect')).toEqual(refused)
    const closed = ann.socket.closed
    await planes.planes[0]?.[Symbol.asyncDispose]()
    expect(await closed).toMatchObject({ code: 1012 })
    await ann.connect(1)
    expect(await (await ann.knock(1)).event('system/disconnect')).toEqual(refused)
    // Nobody was told that she had gone.
    expect(names(await ben.news())).toEqual(['session/state'])
  })
})
