import { isIP } from 'node:net'
import type { Config } from '@neko-edge/config'
import { isLoopback } from '@neko-edge/config'
import { type Log, messageOf } from '@neko-edge/kit'

/** How long the service that knows the public address may take, in milliseconds. */
const askMs = 5_000

/**
 * The addresses under which viewers reach this node: the configured ones, else the public one, where a service tells it. A
 * server that only this machine can reach asks nobody. Where nothing is known, the machine's own addresses are announced.
 */
export async function announcedBy({ webrtc, server }: Config, log: Log): Promise<readonly string[]> {
  const { nat1to1, ipRetrievalUrl: url } = webrtc
  if (nat1to1.length > 0 || url === '' || url === 'none' || isLoopback(server.bind)) {
    return nat1to1
  }
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(askMs) })
    const address = (await response.text()).trim()
    if (!response.ok || isIP(address) === 0) {
      throw new Error(`it answered ${response.status} ${JSON.stringify(address.slice(0, 60))}`)
    }
    log.info({ address }, 'public address found')
    return [address]
  } catch (error) {
    log.warn({ url, error: messageOf(error) }, 'public address not found: viewers from outside need NEKO_WEBRTC_NAT1TO1')
    return []
  }
}
