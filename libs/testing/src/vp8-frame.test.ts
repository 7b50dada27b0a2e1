import { expect, test } from 'vitest'
import { beginsVp8KeyFrame, Vp8Assembler, vp8Descriptor, vp8Size } from './vp8-frame.ts'

/** A key frame's first bytes: size 1280x720. */
const keyFrame = [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]
const at = (sequence: number, timestamp: number, { marker = false, payload = [] as number[] }) => ({
  ssrc: 1,
  sequence,
  timestamp,
  marker,
  payload: Uint8Array.from(payload),
})

test('[TST-4] the payload descriptor is as long as its flags say (RFC 7741 §4.2)', () => {
  expect(vp8Descriptor(Uint8Array.of(0x10, 1))).toEqual({ length: 1, start: true })
  expect(vp8Descriptor(Uint8Array.of(0x11, 1))).toEqual({ length: 1, start: false })
  expect(vp8Descriptor(Uint8Array.of(0x90, 0x80, 0x05, 1))).toEqual({ length: 3, start: true })
  expect(vp8Descriptor(Uint8Array.of(0x90, 0x80, 0x85, 0x01, 1))).toEqual({ length: 4, start: true })
  expect(vp8Descriptor(Uint8Array.of(0x80, 0xf0, 0x85, 0x01, 0x07, 0x20, 1))).toEqual({ length: 6, start: false })
  expect(vp8Descriptor(Uint8Array.of(0x90, 0x80))).toBeUndefined()
  expect(vp8Descriptor(new Uint8Array())).toBeUndefined()
})

test('[TST-4] a key frame and its size are seen in its first packet', () => {
  expect(beginsVp8KeyFrame(Uint8Array.of(0x10, ...keyFrame))).toBe(true)
  expect(beginsVp8KeyFrame(Uint8Array.of(0x00, ...keyFrame))).toBe(false)
  expect(beginsVp8KeyFrame(Uint8Array.of(0x10, 0x11))).toBe(false)
  expect(vp8Size(Uint8Array.from(keyFrame))).toEqual({ width: 1280, height: 720 })
  expect(vp8Size(Uint8Array.of(0x11, 2, 0))).toBeUndefined()
})

test('[TST-4] a frame is given when its last missing packet comes, in any order', () => {
  const frames = new Vp8Assembler()
  expect(frames.push(at(0, 9, { marker: true, payload: [0x00, 3] }))).toBeUndefined()
  expect(frames.push(at(65_534, 9, { payload: [0x10, ...keyFrame] }))).toBeUndefined()
  const frame = frames.push(at(65_535, 9, { payload: [0x00, 1, 2] }))
  expect(frame).toMatchObject({ timestamp: 9, keyFrame: true })
  expect([...(frame?.bytes ?? [])]).toEqual([...keyFrame, 1, 2, 3])
})

test('[TST-4] a frame that misses a packet is never given, and the next one is', () => {
  const frames = new Vp8Assembler()
  expect(frames.push(at(1, 9, { payload: [0x10, 1] }))).toBeUndefined()
  expect(frames.push(at(3, 9, { marker: true, payload: [0x00, 1] }))).toBeUndefined()
  expect(frames.push(at(4, 12, { marker: true, payload: [0x10, 1, 7] }))).toMatchObject({ timestamp: 12, keyFrame: false })
})
