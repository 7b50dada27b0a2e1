import { execFileSync } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { silentLog, until } from '@neko-edge/kit'
import { freeTcpPort } from '@neko-edge/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startControlPlane } from '../../src/main.node.ts'
import { configOf } from '../session/planes.fixture.ts'
import { apiToken, HttpWorld, type Someone } from './world.fixture.ts'

let world: HttpWorld
let files: string
let user: Someone

beforeAll(async () => {
  world = await HttpWorld.open({
    node: true,
    env: {
      FILETRANSFER_ENABLED: 'true',
      FILETRANSFER_USER_DOWNLOAD: 'true',
      OPENINAPP_ENABLED: 'true',
      OPENINAPP_OPEN_COMMAND: 'true',
      DESKTOP_FILE_CHOOSER_DIALOG: 'true',
    },
  })
  files = join(world.folder, 'files')
  user = await world.someone()
}, 60_000)
afterAll(() => world?.[Symbol.asyncDispose]())

const ask = (method: string, query: string, init: RequestInit & { token?: string } = {}) =>
  world.fetch(`/api/filetransfer${query}`, { method, token: apiToken, ...init })
const form = (...list: readonly (readonly [name: string, content: string | Uint8Array<ArrayBuffer>])[]) => {
  const data = new FormData()
  for (const [name, content] of list) {
    data.append('files', new Blob([content]), name)
  }
  return data
}
/** A form as it is on the wire, so that it can be wrong. */
const raw = (body: string | ReadableStream, path = '/api/filetransfer', boundary = 'edge') =>
  world.fetch(path, {
    method: 'POST',
    token: apiToken,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body,
    duplex: 'half',
  } as RequestInit)
const part = (filename: string, content: string) =>
  `--edge\r\nContent-Disposition: form-data; name="files"; filename="${filename}"\r\n\r\n${content}\r\n`
const message = async (response: Response) => [response.status, ((await response.json()) as { message: string }).message]

/** Random bytes of a length that is no multiple of anything. */
const someBytes = (length: number) => {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)))
  }
  return bytes
}

describe('the transfer directory', () => {
  it('[PLG-1] gives back byte for byte what was uploaded, whole and in ranges, through both control planes', async () => {
    const bytes = someBytes(1_234_567)
    expect([(await ask('POST', '', { body: form(['big.bin', bytes], ['größe "x".txt', 'text']) })).status]).toEqual([200])
    const whole = await ask('GET', '?filename=big.bin')
    expect([whole.status, whole.headers.get('content-length'), whole.headers.get('accept-ranges')]).toEqual([200, '1234567', 'bytes'])
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true)
    const range = await ask('GET', '?filename=big.bin', { headers: { range: 'bytes=36863-110000' } })
    expect([range.status, range.headers.get('content-range')]).toEqual([206, 'bytes 36863-110000/1234567'])
    expect(Buffer.from(await range.arrayBuffer()).equals(bytes.subarray(36_863, 110_001))).toBe(true)
    expect((await ask('GET', '?filename=big.bin', { headers: { range: 'bytes=1234567-' } })).status).toBe(416)
    const since = { 'if-modified-since': whole.headers.get('last-modified') ?? '' }
    expect((await ask('GET', '?filename=big.bin', { headers: since })).status).toBe(304)
    expect(await (await ask('GET', `?filename=${encodeURIComponent('größe "x".txt')}`)).text()).toBe('text')
  })

  it('[PLG-2] a shorter file replaces a longer one wholly, and no parts are left or shown', async () => {
    await ask('POST', '', { body: form(['again.txt', 'a long text']) })
    await ask('POST', '', { body: form(['again.txt', 'short']) })
    expect(await (await ask('GET', '?filename=again.txt')).text()).toBe('short')
    expect(await readdir(files)).toEqual(expect.not.arrayContaining([expect.stringMatching(/^\.neko/)]))
  })

  it('[PLG-3] files are the room user’s, so that the application can use them', async () => {
    const { uid, mode } = await lstat(join(files, 'again.txt'))
    expect([uid, mode & 0o777]).toEqual([process.getuid?.() === 0 ? 50_000 : process.getuid?.(), 0o644])
  })

  it('[PLG-4] names that lead elsewhere are refused', async () => {
    for (const name of ['', '..', 'a/..', '../x', 'a/../b', 'x\n..', '.', '/', 'a\0b', 'x'.repeat(300)]) {
      for (const method of ['GET', 'DELETE']) {
        expect(await message(await ask(method, `?filename=${encodeURIComponent(name)}`)), JSON.stringify(name)).toEqual([
          400,
          'bad filename',
        ])
      }
    }
    for (const name of ['..', '.', 'a/b', '/etc/passwd', '../x', 'a\0b', 'x'.repeat(300), 'é'.repeat(200), 'line%0Afeed']) {
      const response = await raw(`${part(name, 'x')}--edge--\r\n`)
      expect(response.status, JSON.stringify(name)).toBe(400)
    }
    // As upstream: only the last part of a path is looked at.
    expect((await ask('GET', '?filename=some/again.txt')).status).toBe(200)
    expect((await ask('GET', '?filename=..again')).status).toBe(404)
  })

  it('[PLG-5] what is no plain file is not there: folders, links, pipes', async () => {
    await mkdir(join(files, 'folder'))
    await writeFile(join(world.folder, 'secret'), 'secret')
    await symlink(join(world.folder, 'secret'), join(files, 'link'))
    execFileSync('mkfifo', [join(files, 'pipe')])
    for (const name of ['folder', 'link', 'pipe', 'none']) {
      const response = await ask('GET', `?filename=${name}`)
      expect([response.status, await response.text()], name).toEqual([404, '404 page not found\n'])
    }
    expect(await message(await ask('DELETE', '?filename=none'))).toEqual([404, 'file not found'])
    expect(await message(await ask('DELETE', '?filename=folder'))).toEqual([500, 'error deleting file'])
    expect(await message(await ask('POST', '', { body: form(['folder', 'x']) }))).toEqual([500, 'a folder has this name'])
    // A link is replaced, not written through.
    await ask('POST', '', { body: form(['link', 'mine']) })
    expect([await readFile(join(world.folder, 'secret'), 'utf8'), await readFile(join(files, 'link'), 'utf8')]).toEqual(['secret', 'mine'])
  })

  it('[PLG-6] the list of the room follows every change, also by somebody else, and is sorted', async () => {
    const listed = () => world.room.view.node?.facts?.files?.map(({ name, type, size }) => [name, type, size])
    await writeFile(join(files, 'by hand'), '12345')
    await until(() => listed()?.some(([name, , size]) => name === 'by hand' && size === 5), {
      ms: 5_000,
      what: 'a file by hand in the list',
    })
    expect(listed()).toContainEqual(['folder', 'dir', undefined])
    expect(listed()?.map(([name]) => name)).toEqual(
      listed()
        ?.map(([name]) => String(name))
        .toSorted(),
    )
    expect((await ask('DELETE', `?filename=${encodeURIComponent('by hand')}`)).status).toBe(200)
    expect(listed()?.some(([name]) => name === 'by hand')).toBe(false)
  })

  it('[PLG-7] users may what the configuration lets them; admins everything', async () => {
    const as = (method: string, token: string) => ask(method, '?filename=again.txt', { token, ...(method === 'POST' && { body: form() }) })
    expect((await as('GET', user.token)).status).toBe(200)
    expect(await message(await as('POST', user.token))).toEqual([403, 'file upload is not allowed for non-admin users'])
    expect(await message(await as('DELETE', user.token))).toEqual([403, 'file delete is not allowed for non-admin users'])
  })

  it('[PLG-8] the room can switch it off for users, a profile for anybody; a switch that is no boolean is an error', async () => {
    const set = (value: unknown) =>
      world.ask('POST', '/api/room/settings', { token: apiToken, body: { plugins: { 'filetransfer.enabled': value } } })
    const get = async (token: string) => (await ask('GET', '?filename=again.txt', { token })).status
    await set(false)
    expect([await get(user.token), await get(apiToken)]).toEqual([403, 200])
    expect(world.room.view.locks.file_transfer).toMatchObject({ cause: 'user', owner: 'API' })
    await set('yes')
    expect(await message(await ask('GET', '?filename=again.txt'))).toEqual([500, 'error checking file transfer permissions'])
    await set(null)
    expect(await get(user.token)).toBe(200)
    const barred = await world.someone({ is_admin: true, plugins: { 'filetransfer.enabled': false } })
    expect(await message(await ask('GET', '?filename=again.txt', { token: barred.token }))).toEqual([403, 'file transfer is disabled'])
  })
})

describe('a form on its way', () => {
  const left = async () => (await readdir(files)).filter((name) => name.startsWith('.neko') || name === 'cut')

  it('[HTTP-50] one that is cut off, or ends too early, leaves nothing of its files', async () => {
    const cut = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(part('whole', 'whole') + part('cut', 'x'.repeat(200_000)).slice(0, -2)))
      },
      async pull(controller) {
        // The file has begun to arrive.
        await until(async () => (await readdir(files)).some((name) => name.startsWith('.neko')), { ms: 5_000, what: 'a part' })
        controller.error(new Error('the sender is gone'))
      },
    })
    expect((await raw(cut)).status).toBe(400)
    for (const body of [
      part('cut', 'x'),
      `${part('cut', 'x')}--edg`,
      'no form',
      '',
      '--edge\r\nContent-Disposition: form-data; name="files"; filename="cut"',
    ]) {
      expect(await message(await raw(body)), body).toEqual([400, 'error parsing form'])
    }
    expect(await left()).toEqual([])
    expect(await readdir(files)).not.toContain('whole')
  })

  it('[HTTP-57] a sender whose connection breaks leaves nothing either', async () => {
    const port = await freeTcpPort()
    const config = configOf({ SERVER_BIND: `127.0.0.1:${port}`, SESSION_API_TOKEN: apiToken, FILETRANSFER_ENABLED: 'true' })
    await using _plane = await startControlPlane({ config, redisUrl: world.redis.url, log: silentLog })
    const socket = connect(port, '127.0.0.1')
    const head = [
      'POST /api/filetransfer HTTP/1.1',
      'Host: neko',
      `Authorization: Bearer ${apiToken}`,
      'Content-Type: multipart/form-data; boundary=edge',
    ]
    socket.write(`${[...head, 'Content-Length: 1000000'].join('\r\n')}\r\n\r\n${part('cut', 'x'.repeat(200_000))}`)
    await until(async () => (await left()).length > 0, { ms: 5_000, what: 'a part of a file' })
    socket.destroy()
    await until(async () => (await left()).length === 0, { ms: 5_000, what: 'no part of a file' })
  })

  it('[HTTP-51] a body that is no form is refused; no files are fine for the directory', async () => {
    expect(await message(await ask('POST', '', { body: 'x=1' }))).toEqual([400, 'error parsing form'])
    expect(await message(await ask('POST', ''))).toEqual([400, 'error parsing form'])
    expect((await ask('POST', '', { body: form() })).status).toBe(200)
    expect((await raw(`${part('', 'x')}--edge--`)).status).toBe(200)
  })

  it('[HTTP-52] a full disk is said, and nothing stays on it', async () => {
    const small = join(world.folder, 'small')
    await mkdir(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=777', 'tmpfs', small])
    try {
      await using full = await HttpWorld.open({ node: true, env: { FILETRANSFER_ENABLED: 'true', FILETRANSFER_DIR: small } })
      const response = await full.fetch('/api/filetransfer', {
        method: 'POST',
        token: apiToken,
        body: form(['fits', 'x'], ['cut', someBytes(2_000_000)]),
      })
      expect(await message(response)).toEqual([500, 'no space is left on the disk of the room'])
      expect(await readdir(small)).toEqual([])
      expect((await full.fetch('/api/filetransfer', { method: 'POST', token: apiToken, body: form(['fits', 'x']) })).status).toBe(200)
    } finally {
      execFileSync('umount', [small])
    }
  }, 60_000)
})

describe('files for the application', () => {
  const uploads = async () => readdir(join(world.folder, 'run/room/uploads'))
  const drop = (body: FormData | string, query = '', token = user.token) =>
    world.fetch(`/api/room/upload/drop${query}`, { method: 'POST', token, body })
  const withFields = (fields: Readonly<Record<string, string>>, data = form(['a.txt', 'a'])) => {
    for (const [name, value] of Object.entries(fields)) {
      data.append(name, value)
    }
    return data
  }

  it('[HTTP-53] a drop needs a form with whole coordinates, of the form or the query, and files', async () => {
    await world.giveControls(user)
    expect(await message(await drop('x'))).toEqual([400, 'failed to parse multipart form'])
    expect(await message(await drop(withFields({})))).toEqual([400, 'no X coordinate received'])
    expect(await message(await drop(withFields({ x: '1' })))).toEqual([400, 'no Y coordinate received'])
    expect(await message(await drop(withFields({ x: '1', y: '1.5' })))).toEqual([400, 'no Y coordinate received'])
    expect(await message(await drop(withFields({ x: '1', y: '1' }, new FormData())))).toEqual([400, 'no files received'])
    // Nothing is there that would take it: the application of this room has no window.
    expect(await message(await drop(withFields({}), '?x=1&y=2'))).toEqual([500, 'nothing at that place takes files'])
    expect(await uploads()).toEqual([])
  })

  it('[HTTP-54] who is not at the controls may drop under implicit hosting only, and not where private mode shuts him out', async () => {
    await world.giveControls(undefined)
    expect(await message(await drop(withFields({})))).toEqual([403, 'without implicit hosting, only host can upload files'])
    await world.ask('POST', '/api/room/settings', { token: apiToken, body: { implicit_hosting: true } })
    expect(await message(await drop(withFields({})))).toEqual([400, 'no X coordinate received'])
    await world.ask('POST', '/api/room/settings', { token: apiToken, body: { private_mode: true } })
    expect(await message(await drop(withFields({})))).toEqual([403, 'without implicit hosting, only host can upload files'])
    await world.ask('POST', '/api/room/settings', { token: apiToken, body: { implicit_hosting: false, private_mode: false } })
  })

  it('[HTTP-55] a dialog that is not open takes no files, and can not be closed', async () => {
    await world.giveControls(user)
    const dialog = (method: string, body?: FormData) =>
      world.fetch('/api/room/upload/dialog', { method, token: user.token, ...(body && { body }) })
    const closed = [422, 'file chooser dialog is not open']
    expect(await message(await dialog('POST', form(['a', 'a'])))).toEqual(closed)
    expect(await message(await dialog('DELETE'))).toEqual(closed)
    expect(await message(await dialog('POST', new FormData()))).toEqual([400, 'no files received'])
    expect(await uploads()).toEqual([])
  })

  it('[HTTP-56] what is switched off is said before anything else', async () => {
    await using off = await HttpWorld.open({ env: { DESKTOP_UPLOAD_DROP: 'false' } })
    const someone = await off.someone()
    await off.giveControls(someone)
    const ask = async (method: string, path: string) =>
      message(await off.fetch(path, { method, token: someone.token, ...(method === 'POST' && { body: 'no form' }) }))
    expect(await ask('POST', '/api/room/upload/drop')).toEqual([400, 'upload drop is disabled'])
    expect(await ask('POST', '/api/room/upload/dialog')).toEqual([400, 'file chooser dialog is disabled'])
    expect(await ask('DELETE', '/api/room/upload/dialog')).toEqual([400, 'file chooser dialog is disabled'])
  })
})
