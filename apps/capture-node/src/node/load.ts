import { cpus } from 'node:os'

/** How much of the last measurement is in the next one: load is what was over some seconds. */
const memory = 0.8

/** How busy all processors of the machine are, in percent, smoothed over the readings. */
export class Load {
  #before = times()
  #percent = 0

  /** Reads the processors' clocks; call it at a steady pace. */
  read(): number {
    const now = times()
    const all = now.all - this.#before.all
    if (all > 0) {
      const busy = 100 * (1 - (now.idle - this.#before.idle) / all)
      this.#percent = memory * this.#percent + (1 - memory) * busy
      this.#before = now
    }
    return Math.round(Math.min(100, Math.max(0, this.#percent)))
  }
}

function times(): { all: number; idle: number } {
  const each = cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({ all: user + nice + sys + idle + irq, idle }))
  return { all: each.reduce((sum, one) => sum + one.all, 0), idle: each.reduce((sum, one) => sum + one.idle, 0) }
}
