import { decodeVp8, v3Input } from '@neko-edge/testing'
import type { V2Viewer, V3Viewer } from '@neko-edge/testing/viewer'
import { expect } from 'vitest'
import { type DeskPage, redField } from './desk-page.ts'

/** Expects that somebody sees the desktop as it is. */
export async function expectSees({ peer }: Pick<V3Viewer | V2Viewer, 'peer'>, desk: DeskPage): Promise<void> {
  const place = await desk.place(redField.x, redField.y)
  const [red, green, blue] = (await decodeVp8(await peer.freshFrames({ ms: 15_000 }))).at(place.x, place.y)
  expect([red > 180, green < 90, blue < 90]).toEqual([true, true, true])
}

/** A click over the data channel at a place of the page; gives how long it took to the page in the desktop, in milliseconds. */
export async function click({ peer }: V3Viewer, desk: DeskPage, at: { x: number; y: number }): Promise<number> {
  const place = await desk.place(at.x, at.y)
  desk.forget()
  const startedAt = performance.now()
  peer.send(v3Input.move(place.x, place.y))
  peer.send(v3Input.buttonDown(1))
  peer.send(v3Input.buttonUp(1))
  await desk.report('click', ({ x, y }) => Math.abs(x - place.x) < 3 && Math.abs(y - place.y) < 3)
  return performance.now() - startedAt
}
