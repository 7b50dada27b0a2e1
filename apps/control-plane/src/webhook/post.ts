import { lookup } from 'node:dns/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { NekoError } from '@neko-edge/kit'
import { isPrivateAddress } from './private-address.ts'

/** How long one attempt may take, from the name to the status, in milliseconds. */
const attemptMs = 10_000

export interface Post {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Whether it may go to loopback, private and link-local addresses. */
  readonly allowPrivate: boolean
}

/**
 * Sends one POST and gives the status. Redirects are not followed, since they lead where nobody looked; the body of the answer is not read.
 * The name is looked up once, and the connection goes to the very address that was looked at: a name that changes its mind between the two reaches nothing else.
 * Fails with `forbidden` for an address that may not be called, else as the network does.
 */
export async function post({ url: text, headers, body, allowPrivate }: Post): Promise<number> {
  const url = new URL(text)
  const signal = AbortSignal.timeout(attemptMs)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const found = await Promise.race([lookup(host, { all: true }), aborted(signal)])
  const refused = found.find(({ address }) => isPrivateAddress(address))
  const [first] = found
  if (first === undefined || (refused && !allowPrivate)) {
    throw new NekoError(
      'forbidden',
      `${host} leads to ${refused?.address ?? 'nowhere'}: a private address, which webhook.allow_private would allow`,
    )
  }
  const pinned: LookupFunction = (_, options, done) => (options.all ? done(null, [first]) : done(null, first.address, first.family))
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const length = String(Buffer.byteLength(body))
    const request = send(
      url,
      { method: 'POST', headers: { ...headers, 'content-length': length }, lookup: pinned, agent: false, signal },
      (response) => {
        resolve(response.statusCode ?? 0)
        response.destroy()
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(new NekoError('timeout', 'the name was not found in time'))),
  )
}
