import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '@neko-edge/kit'
import { baseProfile } from '@neko-edge/protocol'
import { describe, expect, it } from 'vitest'
import { apiToken, HttpWorld } from './world.fixture.ts'

interface Entry {
  readonly Id: string
  readonly Token: string
  readonly Profile: { readonly name: string }
}

describe('the session file', () => {
  const path = (name: string) => join('/tmp', `neko-sessions-${process.pid}-${name}.json`)
  const entries = async (file: string): Promise<Entry[]> => JSON.parse(await readFile(file, 'utf8')) as Entry[]

  it('[HTTP-80] holds every session in upstream’s form, without a token that anybody could use, and follows each change', async () => {
    const file = path('follow')
    await using world = await HttpWorld.open({ env: { SESSION_FILE: file } })
    const { json } = await world.ask('POST', '/api/login', { body: { username: 'ann', password: 'neko' } })
    const { id, token } = json as { id: string; token: string }
    const [entry] = await until(
      async () => {
        const list = await entries(file).catch(() => [])
        return list.length === 1 ? list : undefined
      },
      { ms: 3_000, what: 'the session in the file' },
    )
    expect(entry).toEqual({
      Id: id,
      Token: expect.stringMatching(/^sha256:[\da-f]{64}$/),
      Profile: expect.objectContaining({ name: 'ann', plugins: null }),
    })
    await world.ask('POST', '/api/profile', { token, body: { name: 'Anna' } })
    await until(async () => (await entries(file))[0]?.Profile.name === 'Anna', { ms: 3_000, what: 'the new name in the file' })
    await world.ask('POST', '/api/logout', { token })
    await until(async () => (await entries(file)).length === 0, { ms: 3_000, what: 'an empty file' })
  })

  it('[HTTP-81] sessions of upstream’s file and of our own are taken over with their tokens, in a room that knew none', async () => {
    const file = path('import')
    const Profile = { ...baseProfile({ granted: true, name: 'Old' }), plugins: { 'a.b': 1 } }
    await writeFile(file, JSON.stringify([{ Id: 'old', Token: 'a token of upstream', Profile }]))
    const env = { SESSION_FILE: file, SESSION_LOCKED_LOGINS: 'true' }
    for (const round of ['first', 'with an empty Redis']) {
      await using world = await HttpWorld.open({ env })
      expect((await world.ask('GET', '/api/whoami', { token: 'a token of upstream' })).json, round).toEqual({
        id: 'old',
        profile: Profile,
        state: { is_connected: false, is_watching: false },
      })
      await until(async () => (await entries(file))[0]?.Token.startsWith('sha256:'), { ms: 3_000, what: 'our own form' })
    }
  })

  it('[HTTP-82] a file that is broken, empty or not there is an empty start', async () => {
    for (const [name, text] of [
      ['broken', '[{"Id":'],
      ['empty', ''],
      ['foreign', '{"a":1}'],
      ['none', undefined],
    ] as const) {
      if (text !== undefined) {
        await writeFile(path(name), text)
      }
      await using world = await HttpWorld.open({ env: { SESSION_FILE: path(name) } })
      expect((await world.ask('GET', '/api/sessions', { token: apiToken })).json, name).toEqual([])
      await until(async () => JSON.stringify(await entries(path(name)).catch(() => undefined)) === '[]', {
        ms: 3_000,
        what: 'the file made anew',
      })
    }
  })
})
