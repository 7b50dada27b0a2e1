/** A program that opens a room's desktop: `node open-desktop.fixture.ts <options as JSON>`; prints one JSON line, and closes when its input ends. */
import { text } from 'node:stream/consumers'
import { messageOf, silentLog, systemClock } from '@neko-edge/kit'
import { openRoomDesktop, type RoomDesktopOptions } from '../../src/process/room-desktop.ts'

// The test that starts this writes exactly these options.
const options = JSON.parse(process.argv[2] ?? '') as Omit<RoomDesktopOptions, 'clock' | 'log'>
try {
  await using desktop = await openRoomDesktop({ ...options, clock: systemClock, log: silentLog })
  const { display, authorityFile } = desktop
  console.log(JSON.stringify({ display, authorityFile, pids: desktop.pids() }))
  await text(process.stdin)
} catch (error) {
  console.log(JSON.stringify({ error: messageOf(error) }))
}
