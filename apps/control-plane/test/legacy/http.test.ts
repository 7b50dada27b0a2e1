import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type InstanceId, silentLog } from '@neko-edge/kit'
import { Bus, changeSettings, connect, connectSession, nodeChannel } from '@neko-edge/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpWorld } from '../http/world.fixture.ts'

const admin = 'pwd=admin'
const user = 'pwd=neko'

describe('V2 over HTTP', () => {
  let world: HttpWorld
  let folder: string

  beforeAll(async () => {
    world = await HttpWorld.open({ node: true, env: { FILE_TRANSFER_ENABLED: 'true' } })
    folder = join(world.folder, 'files')
    await mkdir(join(folder, 'a folder'))
    await writeFile(join(folder, 'a b.txt'), 'content of the file')
    await writeFile(join(folder, 'ünïcode “x”.txt'), 'named')
    await symlink('/etc/passwd', join(folder, 'link'))
  })

  afterAll(() => world?.[Symbol.asyncDispose]())

  const get = (path: string, headers: Record<string, string> = {}) => world.fetch(path, { headers })
  const said = async (response: Response) => [response.status, await response.text()]
  const sessions = () => world.room.view.sessions.size

  /** Locks that stand while something is tried. */
  async function locked(locks: { login?: boolean; file_transfer?: boolean }, act: () => Promise<void>): Promise<void> {
    const set = (change: object) =>
      world.room.run(changeSettings, [
        '',
        JSON.stringify(world.room.view.base),
        JSON.stringify(world.room.view.base),
        JSON.stringify(change),
        '',
        '1',
      ])
    await set(locks)
    try {
      await act()
    } finally {
      await set({ login: false, file_transfer: false })
    }
  }

  const upload = (files: Readonly<Record<string, string>>, { query = user, field = 'files' } = {}) => {
    const form = new FormData()
    for (const [name, content] of Object.entries(files)) {
      form.append(field, new File([content], name))
    }
    return world.fetch(`/file?${query}`, { method: 'POST', body: form })
  }

  it('[V2-60] /stats has every field, for admins alone, and says no in plain words', async () => {
    for (const query of [admin, 'usr=a/b%3F%25%20c&pwd=admin', 'username=x&password=admin']) {
      const response = await get(`/stats?${query}`)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(await response.json()).toEqual({
        connections: 0,
        host: '',
        members: [],
        banned: {},
        locked: {},
        server_started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        last_admin_left_at: null,
        last_user_left_at: null,
        control_protection: false,
        implicit_control: false,
      })
    }
    expect(await said(await get(`/stats?${user}`))).toEqual([401, 'bad authorization\n'])
    for (const query of ['pwd=wrong', 'pwd=', '']) {
      const response = await get(`/stats?${query}`)
      expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
      expect(await said(response)).toEqual([403, 'invalid password\n'])
    }
    await Promise.all(Array.from({ length: 50 }, () => get(`/stats?${admin}`)))
    expect(sessions()).toBe(0)
  })

  it('[V2-61] /screenshot.jpg is an admin’s, of the quality that is asked for or 90, and kept by no cache', async () => {
    const sizes: number[] = []
    for (const quality of ['0', '50', '101', '-5', 'abc']) {
      const response = await get(`/screenshot.jpg?${admin}&quality=${quality}`)
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
      expect(response.headers.get('cache-control')).toBe('no-cache, no-store, must-revalidate')
      const bytes = new Uint8Array(await response.arrayBuffer())
      expect([...bytes.subarray(0, 2)]).toEqual([0xff, 0xd8])
      sizes.push(bytes.length)
    }
    expect(sizes[3]).toBe(sizes[0])
    expect(await said(await get(`/screenshot.jpg?${user}`))).toEqual([401, 'bad authorization\n'])
    await locked({ login: true }, async () => {
      expect(await said(await get(`/screenshot.jpg?${user}`))).toEqual([423, 'room is locked\n'])
      expect((await get(`/screenshot.jpg?${admin}`)).status).toBe(200)
    })
  })

  it('[V2-62] /file gives a file whole, in part, or not again, under its own name', async () => {
    const whole = await get(`/file?${user}&filename=a%20b.txt`)
    expect(whole.headers.get('content-disposition')).toBe(`attachment; filename="a b.txt"; filename*=UTF-8''a%20b.txt`)
    expect(await said(whole)).toEqual([200, 'content of the file'])
    const part = await get(`/file?${user}&filename=a%20b.txt`, { range: 'bytes=0-6' })
    expect(part.headers.get('content-range')).toBe('bytes 0-6/19')
    expect(await said(part)).toEqual([206, 'content'])
    expect((await get(`/file?${user}&filename=a%20b.txt`, { range: 'bytes=99-' })).status).toBe(416)
    const since = whole.headers.get('last-modified') ?? ''
    expect((await get(`/file?${user}&filename=a%20b.txt`, { 'if-modified-since': since })).status).toBe(304)
    const named = await get(`/file?${user}&filename=${encodeURIComponent('ünïcode “x”.txt')}`)
    expect(named.headers.get('content-disposition')).toContain(`filename*=UTF-8''%C3%BCn`)
    expect(await said(named)).toEqual([200, 'named'])
  })

  it.each(['', '..', '../hosts', 'a/../b', 'x..', '%00', '..%2F..%2Fetc%2Fpasswd'])('[V2-63] /file has no way out: %s', async (name) => {
    expect(await said(await get(`/file?${user}&filename=${name}`))).toEqual([400, 'bad filename\n'])
  })

  it.each(['missing', 'link', 'a%20folder', '..%5Cx', '/etc/passwd'])('[V2-64] /file finds only plain files: %s', async (name) => {
    expect(await said(await get(`/file?${user}&filename=${name}`))).toEqual([404, 'not found or unable to open\n'])
  })

  it('[V2-65] /file takes files, several at once, and replaces one of the same name whole', async () => {
    expect(await said(await upload({ 'long.txt': 'a long text', 'empty.txt': '' }))).toEqual([200, ''])
    expect(await said(await upload({ 'long.txt': 'short' }))).toEqual([200, ''])
    expect(await readFile(join(folder, 'long.txt'), 'utf8')).toBe('short')
    expect(await readFile(join(folder, 'empty.txt'), 'utf8')).toBe('')
    expect((await upload({ 'other.txt': 'x' }, { field: 'other' })).status).toBe(200)
    expect((await get(`/file?${user}&filename=other.txt`)).status).toBe(404)
    const form = { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x\r\nno form' }
    expect(await said(await world.fetch(`/file?${user}`, form))).toEqual([400, 'error parsing form\n'])
  })

  it('[V2-66] /file lets admins delete, and users where the configuration says so', async () => {
    await upload({ 'gone.txt': 'x' })
    const remove = (query: string) => world.fetch(`/file?${query}&filename=gone.txt`, { method: 'DELETE' })
    expect([(await remove(user)).status, (await remove(admin)).status, (await remove(admin)).status]).toEqual([401, 200, 404])
  })

  it('[V2-67] /file is shut for users while file transfer is locked, and for strangers while the room is', async () => {
    const statuses = async () => {
      const answers = [get(`/file?${user}&filename=a%20b.txt`), upload({ 'u.txt': 'u' }), get(`/file?${admin}&filename=a%20b.txt`)]
      return (await Promise.all(answers)).map(({ status }) => status)
    }
    await locked({ file_transfer: true }, async () => expect(await statuses()).toEqual([401, 401, 200]))
    const inside = await world.someone()
    await locked({ login: true }, async () => {
      expect(await statuses()).toEqual([403, 403, 200])
      await world.room.run(connectSession, [inside.id, 'test.1', '127.0.0.1', 'v2'])
      expect(await statuses()).toEqual([200, 200, 200])
      await world.end(inside)
    })
  })

  it('[V2-68] a password may be tried so often, and is not tried after that', async () => {
    let status = 0
    for (let tries = 0; tries < 100 && status !== 429; tries++) {
      status = (await get(`/stats?usr=guess&pwd=wrong-${tries}`)).status
    }
    expect(status).toBe(429)
  })
})

describe('V2 over HTTP, otherwise configured', () => {
  it('[V2-69] there is no /file without file transfer', async () => {
    await using world = await HttpWorld.open()
    expect((await world.fetch(`/file?${admin}&filename=x`)).status).toBe(404)
  })

  it('[V2-10] without legacy mode the capture node has no picture with the pointer for anybody', async () => {
    await using world = await HttpWorld.open({ node: true, env: { LEGACY: 'false' } })
    await using connection = await connect({ url: world.redis.url, log: silentLog })
    await using bus = await Bus.open(connection, { instance: 'test' as InstanceId, log: silentLog })
    const { id } = await world.someone()
    const open = (kind: 'v2' | 'v3', video: { selector?: { id: string; type: 'exact'; bitrate: number } }) =>
      bus.call(nodeChannel(world.room.id), 'peer.open', { args: { session: id, kind, video, audio: {} }, ms: 10_000 })
    await expect(open('v2', {})).rejects.toThrow('V2 clients are not served')
    await expect(open('v3', { selector: { id: 'legacy', type: 'exact', bitrate: 0 } })).rejects.toThrow('stream not found')
    expect(await open('v3', {})).toMatchObject({ video: { id: 'main' } })
  })

  it('[V2-70] knows a member by his password alone where members have their own', async () => {
    const members = [
      { username: 'ann', password: 'of ann', profile: { name: 'Ann', is_admin: true, can_login: true } },
      { username: 'bob', password: 'of bob', profile: { name: 'Bob', can_login: true } },
    ]
    await using world = await HttpWorld.open({ env: { MEMBER_PROVIDER: 'object', MEMBER_OBJECT_USERS: JSON.stringify(members) } })
    const status = async (query: string) => (await world.fetch(`/stats?${query}`)).status
    expect(await status('pwd=of%20ann')).toBe(200)
    expect(await status('usr=ann&pwd=of%20ann')).toBe(200)
    expect(await status('pwd=of%20bob')).toBe(401)
    expect(await status('usr=bob&pwd=of%20ann')).toBe(403)
  })
})
