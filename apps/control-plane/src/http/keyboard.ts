import { KeyboardMap, Modifiers } from '@neko-edge/protocol'
import { z } from 'zod'
import { present } from '../session/peer.ts'
import { operation } from './operation.ts'

const modifierNames = ['shift', 'capslock', 'control', 'alt', 'numlock', 'meta', 'super', 'altgr'] as const

/** The keyboard of the desktop. */
export const keyboard = [
  operation({
    method: 'GET',
    path: '/api/room/keyboard/map',
    summary: 'The keyboard layout',
    guards: ['session', 'can-host'],
    reply: z.object({ layout: z.string(), variant: z.string() }),
    handle: ({ hub }) => hub.node.call('keyboard.map', {}),
  }),
  operation({
    method: 'POST',
    path: '/api/room/keyboard/map',
    summary: 'Change the keyboard layout',
    guards: ['session', 'can-host', 'host'],
    body: { schema: KeyboardMap },
    fails: { 422: 'the X server knows no such layout' },
    handle: ({ hub, body }) => hub.node.call('keyboard.map.set', body),
  }),
  operation({
    method: 'GET',
    path: '/api/room/keyboard/modifiers',
    summary: 'The modifiers that are in force',
    guards: ['session', 'can-host'],
    reply: z.record(z.enum(modifierNames), z.boolean()),
    handle: ({ hub }) => hub.node.call('keyboard.modifiers', {}),
  }),
  operation({
    method: 'POST',
    path: '/api/room/keyboard/modifiers',
    summary: 'Lock and unlock modifiers: what is absent stays as it is',
    guards: ['session', 'can-host', 'host'],
    body: { schema: Modifiers },
    handle: ({ hub, body }) => hub.node.call('keyboard.modifiers.set', { modifiers: present(body) }),
  }),
]
