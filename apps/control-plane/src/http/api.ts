import { bans } from './bans.ts'
import { batch } from './batch.ts'
import { broadcast } from './broadcast.ts'
import { chat } from './chat.ts'
import { clipboard } from './clipboard.ts'
import { control } from './control.ts'
import { currentSession } from './current-session.ts'
import { fileTransfer } from './file-transfer.ts'
import { keyboard } from './keyboard.ts'
import { members } from './members.ts'
import { membersBulk } from './members-bulk.ts'
import { nodes } from './nodes.ts'
import { openInApp } from './open-in-app.ts'
import type { Operation } from './operation.ts'
import { rooms } from './rooms.ts'
import { screen } from './screen.ts'
import { sessions } from './sessions.ts'
import { settings } from './settings.ts'
import { upload } from './upload.ts'

/** Every operation of the API, in the order of its documentation. */
export const operations: readonly Operation[] = [
  ...currentSession,
  ...sessions,
  ...members,
  ...membersBulk,
  ...settings,
  ...bans,
  ...control,
  ...screen,
  ...clipboard,
  ...keyboard,
  ...broadcast,
  ...upload,
  ...chat,
  ...fileTransfer,
  ...openInApp,
  ...batch,
]

/** The operations of the fleet: at the root of the server only. */
export const fleetOperations: readonly Operation[] = [...rooms, ...nodes]
