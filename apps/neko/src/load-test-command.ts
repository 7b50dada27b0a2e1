import { parseArgs } from 'node:util'
import { NekoError } from '@neko-edge/kit'
import { z } from 'zod'
import { expectOwnHost } from './own-host.ts'

const clearLine = '\r\x1b[K'

/* `neko load-test`: members without a screen who watch a room, and what reaches them. */

/** What `neko load-test --help` says. */
export const loadTestHelp = `neko load-test: members who watch a room of any neko V3 server, and what reaches them

  neko load-test --url http://127.0.0.1:8080 --password neko --members 50

  --url URL             the room, as a browser has it (http://127.0.0.1:8080)
  --password PASSWORD   that of its members, or from the environment: NEKO_LOAD_TEST_PASSWORD
  --name NAME           what they are called, with a number behind it (load)
  --members N           how many, 1 to 4000 (10)
  --joins-per-second N  how fast they come (10)
  --seconds N           how long they watch once all are in (10)
  --i-own-this          the server is yours: without it only this machine and private networks may be its address

  They take the codec that the room has, count packets, ask again for those that are lost and decode nothing. Progress goes to stderr,
  the result as JSON to stdout; packets, loss, bitrate and CPU are of the time since all were in. After Ctrl-C everybody leaves, and the
  result is printed all the same. Ends with 0 where all came in and stayed, else with 1, and with 130 after Ctrl-C.
`

const flags = {
  url: { type: 'string' },
  password: { type: 'string' },
  name: { type: 'string' },
  members: { type: 'string' },
  'joins-per-second': { type: 'string' },
  seconds: { type: 'string' },
  'i-own-this': { type: 'boolean' },
} as const

const Options = z.object({
  url: z
    .url({ protocol: /^https?$/, error: 'must be the http or https URL of a room' })
    .default('http://127.0.0.1:8080')
    .transform((url) => new URL(url.endsWith('/') ? url : `${url}/`)),
  password: z.string({ error: 'is missing: --password, or NEKO_LOAD_TEST_PASSWORD' }),
  name: z.string().min(1).default('load'),
  members: z.coerce.number().int().min(1).max(4_000).default(10),
  'joins-per-second': z.coerce.number().positive().max(1_000).default(10),
  seconds: z.coerce.number().min(0).max(86_400).default(10),
  'i-own-this': z.boolean().default(false),
})

/** Runs the test and prints its result; gives the exit code. */
export async function runLoadTest(argv: readonly string[]): Promise<number> {
  const { url, password, name, members, seconds, ...given } = readOptions(argv)
  if (!given['i-own-this']) {
    await expectOwnHost(url)
  }
  // Only here: no other command needs what compiles the viewers.
  const { loadTest } = await import('./load-test.ts')
  const interrupted = new AbortController()
  // As often as it comes: npm passes a Ctrl-C on that the terminal has sent already. All that follows has a bound.
  const stop = () => interrupted.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const options = { url, password, name, members, seconds, joinsPerSecond: given['joins-per-second'] }
  try {
    const result = await loadTest({ ...options, signal: interrupted.signal, progress }).finally(endProgress)
    process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
    return result.interrupted ? 130 : result.joined === members && result.gone === 0 ? 0 : 1
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
