import { mergeSettings, Settings, SettingsPatch } from '@neko-edge/protocol'
import { editSettings } from '../session/settings.ts'
import { operation } from './operation.ts'

/** The settings of the room. */
export const settings = [
  operation({
    method: 'GET',
    path: '/api/room/settings',
    isMount: true,
    summary: 'The settings of the room',
    guards: ['session', 'admin'],
    reply: Settings,
    handle: async ({ hub }) => hub.room.view.settings,
  }),
  operation({
    method: 'POST',
    path: '/api/room/settings',
    isMount: true,
    summary: 'Change settings of the room: what is absent stays, plugin settings are merged',
    guards: ['session', 'admin'],
    body: { schema: SettingsPatch, isStrict: true, words: { empty: 'unable to parse provided data' } },
    async handle({ hub, actor, body }) {
      await editSettings(hub, { actor: actor.id, change: (current) => mergeSettings(current, body) })
    },
  }),
]
