import { NekoError } from '@neko-edge/kit'
import { lenientObject, text } from '@neko-edge/protocol'
import { isMistyped, isPermitted } from '../plugins/permission.ts'
import { speak } from '../session/speak.ts'
import { failure, operation } from './operation.ts'

/** Saying something to everybody in the room. */
export const chat = [
  operation({
    method: 'POST',
    path: '/api/chat',
    isMount: true,
    summary: 'Say something in the chat',
    guards: ['session', 'admin'],
    body: { schema: lenientObject({ text }) },
    fails: { 403: 'the session may not chat', 500: 'a setting of the chat is no boolean' },
    permit({ hub, actor }) {
      const { settings } = hub.room.view
      if (['chat.can_send', 'chat.can_receive'].some((key) => isMistyped(key, settings, actor))) {
        return failure(500, 'error checking chat permissions for this session')
      }
      if (!isPermitted('chat.can_send', { enabled: hub.features.chat, settings, session: actor })) {
        throw new NekoError('forbidden', 'not allowed to send chat messages')
      }
      return undefined
    },
    async handle({ hub, actor, body, deps }) {
      await speak(hub, actor.id, { is: 'chat', id: actor.id, created: deps.clock.now(), text: body.text })
    },
  }),
]
