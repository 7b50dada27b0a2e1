import { Buffer } from 'node:buffer'
import { randomBytes, scrypt } from 'node:crypto'
import { isSameSecret } from '../secret.ts'

/** 2^15 rounds with 8 blocks take about 32 MB and 80 ms: what a guess costs as well. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
const keyBytes = 32
const prefix = 'scrypt$'

/** A password as it is stored: `scrypt$log2N$r$p$salt$key`, both in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(password, { salt, ...cost })
  return [prefix.slice(0, -1), Math.log2(cost.N), cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** Whether a password is the stored one: by our own hash, or else by what `otherwise` makes of it (upstream's forms). */
export async function isPassword(
  password: string,
  stored: string,
  otherwise: (password: string) => string | Promise<string>,
): Promise<boolean> {
  if (!stored.startsWith(prefix)) {
    return isSameSecret(await otherwise(password), stored)
  }
  const [, log2 = '', r = '', p = '', salt = '', key = ''] = stored.split('$')
  const expected = Buffer.from(key, 'base64url')
  // A hash that somebody else's hand put there must not take the machine's memory.
  const isSane = Number(log2) <= 17 && Number(r) <= 16 && Number(p) <= 4 && expected.length >= 16
  if (!isSane) {
    return false
  }
  const made = await derive(password, {
    salt: Buffer.from(salt, 'base64url'),
    N: 2 ** Number(log2),
    r: Number(r),
    p: Number(p),
    maxmem: 4 * cost.maxmem,
  })
  return isSameSecret(made.toString('base64url'), expected.toString('base64url'))
}

/** Takes as long as a comparison: a name that nobody has must not answer faster than one with a wrong password. */
export async function comparesLike(password: string): Promise<undefined> {
  await derive(password, { salt: Buffer.alloc(16), ...cost })
  return undefined
}

function derive(
  password: string,
  { salt, ...options }: { salt: Buffer; N: number; r: number; p: number; maxmem: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, keyBytes, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
