import { NekoError } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { Api } from './api.ts'
import { Files } from './files.ts'
import type { SendForm } from './send-form.ts'

type Sent = Parameters<SendForm>[1] & { url: string; end: (error?: Error) => void }

function setUp(answer: () => Response = () => new Response('data')) {
  const sent: Sent[] = []
  const asked: string[] = []
  const said: string[] = []
  const api = new Api({
    base: 'http://room/',
    signal: new AbortController().signal,
    fetch: async (url, { method = '' }) => {
      asked.push(`${method} ${url}`)
      return answer()
    },
  })
  const sendForm: SendForm = (url, options) =>
    new Promise((resolve, reject) => {
      options.signal.addEventListener('abort', () => reject(new Error('cancelled')))
      sent.push({ url, ...options, end: (error) => (error ? reject(error) : resolve()) })
    })
  return { files: new Files({ api, sendForm, send: (event) => said.push(event) > 0 }), sent, asked, said }
}

const file = (name: string) => new File(['x'], name)

describe('Files', () => {
  it('[WEB-136] each upload shows how far it is, and leaves when it has arrived', async () => {
    const { files, sent } = setUp()
    const done = files.upload([file('a.txt'), file('b.txt')])
    sent[0]?.onShare(0.5)
    expect(files.transfers.value.map(({ name, share }) => [name, share])).toEqual([
      ['a.txt', 0.5],
      ['b.txt', undefined],
    ])
    sent[0]?.end()
    sent[1]?.end(new NekoError('forbidden', 'file upload is not allowed for non-admin users'))
    await done
    expect(files.transfers.value.map(({ name, failure }) => [name, failure])).toEqual([
      ['b.txt', 'file upload is not allowed for non-admin users'],
    ])
    files.cancel(2)
    expect(files.transfers.value).toEqual([])
  })

  it('[WEB-137] a cancelled upload ends and leaves no trace', async () => {
    const { files, sent } = setUp()
    const done = files.upload([file('a.txt')])
    files.cancel(1)
    await done
    expect([sent[0]?.signal.aborted, files.transfers.value]).toEqual([true, []])
  })

  it('[WEB-138] a drop says where before it sends what', async () => {
    const { files, sent } = setUp()
    const done = files.drop([file('a.txt')], { x: 3, y: 4 })
    expect([...(sent[0]?.form.keys() ?? [])]).toEqual(['x', 'y', 'files'])
    expect(sent[0]?.url).toBe('http://room/api/room/upload/drop')
    sent[0]?.end()
    await done
  })

  it('[WEB-139] a download comes whole; a refusal stays in words; a removal asks for the list again', async () => {
    const good = setUp()
    expect(await (await good.files.download('ä b.txt'))?.text()).toBe('data')
    expect(good.asked).toEqual(['GET http://room/api/filetransfer?filename=%C3%A4%20b.txt'])
    const bad = setUp(() => Response.json({ message: 'file download is not allowed' }, { status: 403 }))
    expect(await bad.files.download('a')).toBeUndefined()
    expect(bad.files.transfers.value[0]?.failure).toBe('file download is not allowed')
    await good.files.remove('a')
    expect(good.said).toEqual(['filetransfer/update'])
  })
})
