import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@neko-edge/kit'
import { recordingLog } from '@neko-edge/testing/process'
import { expect, test } from 'vitest'
import { TransferFolder } from '../../src/room/transfer-folder.ts'

/** Nobody to whom anything here belongs. */
const identity = { uid: 54_321, gid: 54_321 }

test('[V2-1955] a transfer directory in a folder that is shut is the server’s alone, and that is said with what to do; the application goes without', async () => {
  const above = await realpath(await mkdtemp(join(tmpdir(), 'neko-transfer-')))
  const path = join(above, 'files')
  await mkdir(path, { mode: 0o777 })
  const open = async () => {
    const { log, lines } = recordingLog()
    await using folder = await TransferFolder.open({
      path,
      identity,
      refreshMs: 60_000,
      onList: async () => undefined,
      clock: systemClock,
      log,
    })
    return { isReachable: folder.isReachable, remedies: lines.map(({ fields }) => fields['remedy']) }
  }
  try {
    expect(await open()).toEqual({ isReachable: false, remedies: [`chmod o+x ${above}`] })
    await chmod(above, 0o711)
    await chmod(path, 0o755)
    expect(await open()).toEqual({ isReachable: true, remedies: [`chown ${identity.uid} ${path}`] })
    await chmod(path, 0o777)
    expect(await open()).toEqual({ isReachable: true, remedies: [] })
  } finally {
    await rm(above, { recursive: true })
  }
})
