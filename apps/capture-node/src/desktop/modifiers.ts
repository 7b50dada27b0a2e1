import type { Modifiers } from './desktop.ts'

/** Which bit of X each modifier is; neko's names, on every layout. */
const bits = { shift: 1, capslock: 2, control: 4, alt: 8, numlock: 16, meta: 32, super: 64, altgr: 128 } as const

const names = Object.keys(bits) as (keyof typeof bits)[]

/** The modifiers of a mask of X. */
export function modifiersIn(mask: number): Modifiers {
  const has = (bit: number) => (mask & bit) !== 0
  return {
    shift: has(bits.shift),
    capslock: has(bits.capslock),
    control: has(bits.control),
    alt: has(bits.alt),
    numlock: has(bits.numlock),
    meta: has(bits.meta),
    super: has(bits.super),
    altgr: has(bits.altgr),
  }
}

/** The bits that are spoken of, and of those the ones that shall be on. */
export function masksFor(modifiers: Partial<Modifiers>): { affected: number; locked: number } {
  let affected = 0
  let locked = 0
  for (const name of names) {
    if (modifiers[name] !== undefined) {
      affected |= bits[name]
      locked |= modifiers[name] ? bits[name] : 0
    }
  }
  return { affected, locked }
}
