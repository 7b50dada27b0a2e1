import { parseArgs } from 'node:util'
import { NekoError } from '@neko-edge/kit'
import { z } from 'zod'
import { expectOwnHost } from './own-host.ts'

/** What the native viewers' process takes. */
const mostMembers = 4_000
const clearLine = '\r\x1b[K'

/* `neko load-test`: members without a screen who watch a room, and what reaches them. */

/** What `neko load-test --help` says. */
export const loadTestHelp = `neko load-test: members who watch a room of any neko V3 server, and what reaches them

  neko load-test --url http://127.0.0.1:8080 --password neko --members 50

  --url URL             the room, as a browser has it (http://127.0.0.1:8080)
  --password PASSWORD   that of its members, or from the environment: NEKO_LOAD_TEST_PASSWORD
  --name NAME           what they are called, with a number behind it (load)
  --members N[,N…]      how many, 1 to 4000, rising: each number is a step of the result (10)
  --joins-per-second N  how fast they come (10)
  --seconds N           how long they watch at each step (10)
  --codec CODEC         what the room is to send: vp8, vp9, av1 or h264; who is offered another does not come in
  --video ID            which of the room's pictures they ask for, or auto: by what their line carries
  --thin PERCENT        how many of them are behind a thin line: a queue of 200 ms, and what does not fit is lost (0)
  --thin-kbps N         what such a line carries (500)
  --i-own-this          the server is yours: without it only this machine and private networks may be its address

  They take the codec that the room has, count packets, ask again for those that are lost and decode nothing. Progress goes to stderr,
  the result as JSON to stdout; packets, loss, bitrate and CPU are those of a step, of thin lines apart. After Ctrl-C everybody leaves, and the
  result is printed all the same. Ends with 0 where all came in and stayed, else with 1, and with 130 after Ctrl-C.
`

const flags = {
  url: { type: 'string' },
  password: { type: 'string' },
  name: { type: 'string' },
  members: { type: 'string' },
  'joins-per-second': { type: 'string' },
  seconds: { type: 'string' },
  codec: { type: 'string' },
  video: { type: 'string' },
  thin: { type: 'string' },
  'thin-kbps': { type: 'string' },
  'i-own-this': { type: 'boolean' },
} as const

const Options = z.object({
  url: z
    .url({ protocol: /^https?$/, error: 'must be the http or https URL of a room' })
    .default('http://127.0.0.1:8080')
    .transform((url) => new URL(url.endsWith('/') ? url : `${url}/`)),
  password: z.string({ error: 'is missing: --password, or NEKO_LOAD_TEST_PASSWORD' }),
  name: z.string().min(1).default('load'),
  members: z
    .string()
    .default('10')
    .transform((text) => text.split(',').map(Number))
    .refine(isRising, { error: 'must be a number from 1 to 4000, or several that rise, such as 10,50,200' }),
  'joins-per-second': z.coerce.number().positive().max(1_000).default(10),
  seconds: z.coerce.number().min(0).max(86_400).default(10),
  codec: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['vp8', 'vp9', 'av1', 'h264']))
    .optional(),
  video: z.string().min(1).optional(),
  thin: z.coerce.number().min(0).max(100).default(0),
  'thin-kbps': z.coerce.number().positive().max(1_000_000).default(500),
  'i-own-this': z.boolean().default(false),
})

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => Number.isInteger(number) && number > (numbers[index - 1] ?? 0) && number <= mostMembers)
}

/** Runs the test and prints its result; gives the exit code. */
export async function runLoadTest(argv: readonly string[]): Promise<number> {
  const { url, 'i-own-this': isOwn, 'joins-per-second': joinsPerSecond, thin, 'thin-kbps': kbps, ...given } = readOptions(argv)
  if (!isOwn) {
    await expectOwnHost(url)
  }
  // Only here: no other command needs what compiles the viewers.
  const { loadTest } = await import('./load-test.ts')
  const interrupted = new AbortController()
  // As often as it comes: npm passes a Ctrl-C on that the terminal has sent already. All that follows has a bound.
  const stop = () => interrupted.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const options = { url, joinsPerSecond, thin: { share: thin / 100, bitsPerSecond: kbps * 1_000 } }
  try {
    const result = await loadTest({
      codec: undefined,
      video: undefined,
      ...given,
      ...options,
      signal: interrupted.signal,
      progress,
    }).finally(endProgress)
    process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
    return result.interrupted ? 130 : result.joined === result.members && result.gone === 0 ? 0 : 1
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

function readOptions(argv: readonly string[]): z.infer<typeof Options> {
  const values = readArguments(argv)
  const parsed = Options.safeParse({ ...values, password: values['password'] ?? process.env['NEKO_LOAD_TEST_PASSWORD'] })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new NekoError('invalid', `--${issue?.path.join('.')}: ${issue?.message}: see neko load-test --help`)
  }
  return parsed.data
}

function readArguments(argv: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args: [...argv], options: flags }).values
  } catch (error) {
    throw new NekoError('invalid', `${(error as Error).message}\n\n${loadTestHelp}`)
  }
}

/** One line that is written over on a terminal, one after another in a log. */
function progress(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `${clearLine}${line}` : `${line}\n`)
}

function endProgress(): void {
  if (process.stderr.isTTY) {
    process.stderr.write(clearLine)
  }
}
