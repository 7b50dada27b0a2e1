import { NekoError } from '@neko-edge/kit'
import { lenientObject, text } from '@neko-edge/protocol'
import { z } from 'zod'
import type { Hub } from '../session/hub.ts'
import { mayHostImplicitly, operation } from './operation.ts'
import { told } from './upload.ts'

/** Opening links in the application. */
export const openInApp = [
  operation({
    method: 'POST',
    path: '/api/openinapp/openlink',
    summary: 'Open a link in the application',
    guards: ['session'],
    body: { schema: lenientObject({ text }), words: { empty: 'failed to parse request body', malformed: 'failed to parse request body' } },
    reply: z.null(),
    fails: { 400: 'no web address', 403: 'not allowed', 500: 'the command can not be started' },
    permit({ hub, actor: { id, profile } }) {
      const { view } = hub.room
      if (!hub.features.openInApp) {
        throw new NekoError('forbidden', 'openinapp is disabled')
      }
      if (!view.isHost(id) && !mayHostImplicitly(profile, view)) {
        throw new NekoError('forbidden', 'only the host can open links')
      }
      return undefined
    },
    async handle({ hub, deps, body }) {
      const url = webAddress(body.text)
      return told(openIn(hub, { url, isConfigured: deps.options.openCommand.trim() !== '' }))
    },
  }),
]

function webAddress(address: string): string {
  // An address without a scheme parses in upstream, and has the wrong one then.
  const url = URL.parse(address)
  if (!url && /^https?:/i.test(address)) {
    throw new NekoError('invalid', 'failed to parse URL')
  }
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new NekoError('invalid', 'URL must use http or https scheme')
  }
  return url.href
}

async function openIn(hub: Hub, { url, isConfigured }: { url: string; isConfigured: boolean }): Promise<null> {
  if (!isConfigured) {
    throw new NekoError('internal', 'open command is not configured')
  }
  return hub.node.call('link.open', { url })
}
