import { expect, test } from 'vitest'
import { cvtTiming, rateOf } from './cvt.ts'

// What libxcvt 0.1.2 gives: width, height, rate, clock, then horizontal and vertical sync start, sync end and total.
test.each([
  [1280, 720, 60, 74_500, 1344, 1472, 1664, 723, 728, 748],
  [1920, 1080, 60, 173_000, 2048, 2248, 2576, 1083, 1088, 1120],
  [1000, 700, 50, 45_750, 1040, 1136, 1272, 703, 713, 723],
  [2560, 1440, 60, 312_250, 2752, 3024, 3488, 1443, 1448, 1493],
  [1280, 720, 30, 35_250, 1320, 1440, 1600, 723, 728, 736],
  [800, 600, 60, 38_250, 832, 912, 1024, 603, 607, 624],
  [1280, 1024, 60, 109_000, 1368, 1496, 1712, 1027, 1034, 1063],
  [1440, 900, 60, 106_500, 1528, 1672, 1904, 903, 909, 934],
  [640, 480, 25, 9_750, 664, 720, 800, 483, 487, 490],
  [3840, 2160, 30, 338_750, 4080, 4488, 5136, 2163, 2168, 2200],
])('[DSK-88] %i×%i at %i Hz has the timings of libxcvt', (...row) => {
  const [width, height, rate, ...expected] = row
  const timing = cvtTiming(width, height, rate)
  const { clockKhz, hSyncStart, hSyncEnd, hTotal, vSyncStart, vSyncEnd, vTotal } = timing
  expect([clockKhz, hSyncStart, hSyncEnd, hTotal, vSyncStart, vSyncEnd, vTotal]).toEqual(expected)
  expect(rateOf(timing)).toBe(rate)
})
