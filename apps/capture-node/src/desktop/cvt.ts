/** The timings of a video mode: clock in kHz, the rest in pixels and lines. */
export interface ModeTiming {
  readonly clockKhz: number
  readonly hSyncStart: number
  readonly hSyncEnd: number
  readonly hTotal: number
  readonly vSyncStart: number
  readonly vSyncEnd: number
  readonly vTotal: number
}

const cellWidth = 8
const minFrontPorch = 3
const minSyncAndBackPorchUs = 550
const clockStepKhz = 250

/** The height of the vertical sync tells a monitor the aspect ratio (CVT 1.1, table 3-2). */
function vSyncLines(width: number, height: number): number {
  const is = (lines: number, ratio: number) => height % lines === 0 && height * ratio === width
  if (is(3, 4 / 3)) {
    return 4
  }
  if (is(9, 16 / 9)) {
    return 5
  }
  if (is(10, 16 / 10)) {
    return 6
  }
  return is(4, 5 / 4) || is(9, 15 / 9) ? 7 : 10
}

/** VESA Coordinated Video Timings 1.1 with normal blanking, computed in the steps of libxcvt. `width` is a multiple of 8. */
export function cvtTiming(width: number, height: number, rate: number): ModeTiming {
  const vSync = vSyncLines(width, height)
  const linePeriodUs = (1_000_000 / rate - minSyncAndBackPorchUs) / (height + minFrontPorch)
  const vSyncAndBackPorch = Math.max(Math.floor(minSyncAndBackPorchUs / linePeriodUs) + 1, vSync + minFrontPorch)
  // The blanking curve of GTF: C' = 30, M' = 300.
  const blankPercent = Math.max(20, 30 - (300 * linePeriodUs) / 1000)
  const idealBlank = Math.floor((width * blankPercent) / (100 - blankPercent))
  const hBlank = idealBlank - (idealBlank % (2 * cellWidth))
  const hTotal = width + hBlank
  const hSyncEnd = width + hBlank / 2
  const earliest = hSyncEnd - Math.floor((hTotal * 8) / 100)
  const clock = Math.floor((hTotal * 1000) / linePeriodUs)
  return {
    clockKhz: clock - (clock % clockStepKhz),
    hSyncStart: earliest + cellWidth - (earliest % cellWidth),
    hSyncEnd,
    hTotal,
    vSyncStart: height + minFrontPorch,
    vSyncEnd: height + minFrontPorch + vSync,
    vTotal: height + vSyncAndBackPorch + minFrontPorch,
  }
}

/** The rate that a timing really has, in whole Hz as RANDR 1.1 gives it. */
export function rateOf({ clockKhz, hTotal, vTotal }: ModeTiming): number {
  return Math.round((clockKhz * 1000) / (hTotal * vTotal))
}
