import {
  completionScript,
  effectiveText,
  formatProblem,
  hasErrors,
  type Loaded,
  loadConfig,
  optionsHelp,
  referenceMarkdown,
  shells,
} from '@neko-edge/config'
import { type Log, messageOf, NekoError } from '@neko-edge/kit'
import { openDataFolder, runFolder } from './folder.ts'
import { runUntilStopped } from './life.ts'
import { readOptions } from './options.ts'
import { readyVariable } from './readiness.ts'
import { type LogStyle, textLog } from './text-log.ts'

/** A command of the CLI: its own arguments, and the exit code where it ends by itself. */
interface Command {
  readonly about: string
  readonly usage: string
  readonly run: (argv: readonly string[]) => Promise<number | undefined> | number
}

const commands: Readonly<Record<string, Command>> = {
  serve: { usage: '[options]', about: 'run everything on this machine: private Redis, control plane, capture node', run: runServe },
  'control-plane': { usage: '[options]', about: 'run one control plane against NEKO_REDIS_URL', run: runControlPlane },
  'capture-node': { usage: '[options]', about: 'run one capture node against NEKO_REDIS_URL', run: runCaptureNode },
  config: {
    usage: 'check | reference',
    about: 'show the effective configuration with its sources, or every option as Markdown',
    run: runConfig,
  },
  completion: { usage: shells.join(' | '), about: 'print a completion script for a shell', run: runCompletion },
}

async function runServe(argv: readonly string[]): Promise<number | undefined> {
  const { loaded, log } = begin(argv)
  const { serve, welcome } = await import('./serve.ts')
  await runUntilStopped(
    () => serve({ config: loaded.config, argv, log }),
    log,
    () => process.stderr.write(welcome(loaded.config)),
  )
  return undefined
}

async function runControlPlane(argv: readonly string[]): Promise<number | undefined> {
  const { loaded, log } = begin(argv)
  const { startControlPlane } = await import('../../control-plane/src/main.node.ts')
  await runUntilStopped(() => startControlPlane({ config: loaded.config, redisUrl: redisUrl(loaded), log }), log)
  return undefined
}

async function runCaptureNode(argv: readonly string[]): Promise<number | undefined> {
  const { loaded, log } = begin(argv)
  const { config } = loaded
  const { startCaptureNode } = await import('../../capture-node/src/main.ts')
  const { workerBinary } = await import('../../../infra/worker/locate.ts')
  const workerBin = config.sfu.worker.startsWith('/') ? config.sfu.worker : workerBinary()
  if (workerBin === undefined) {
    throw new NekoError(
      'unavailable',
      'there is no mediasoup worker on this machine: npm run setup builds one, or name one with NEKO_SFU_WORKER',
    )
  }
  const dataFolder = await openDataFolder(config.data.dir)
  const folder = await runFolder()
  await runUntilStopped(() => startCaptureNode({ config, redisUrl: redisUrl(loaded), dataFolder, runFolder: folder, workerBin, log }), log)
  return undefined
}

function runConfig([action, ...argv]: readonly string[]): number {
  if (action === 'reference') {
    process.stdout.write(referenceMarkdown())
    return 0
  }
  if (action !== 'check') {
    throw new NekoError('invalid', 'say neko config check, or neko config reference')
  }
  const loaded = loadConfig({ argv, env: process.env, cwd: process.cwd() })
  process.stdout.write(effectiveText(loaded))
  for (const line of [...loaded.notices, ...loaded.problems.map(formatProblem)]) {
    process.stderr.write(`${line}\n`)
  }
  return hasErrors(loaded.problems) ? 1 : 0
}

function runCompletion([shell]: readonly string[]): number {
  const known = shells.find((name) => name === shell)
  if (known === undefined) {
    throw new NekoError('invalid', `say for which shell: neko completion ${shells.join(' | ')}`)
  }
  process.stdout.write(
    completionScript(known, { program: 'neko', commands: Object.keys(commands), withOptions: ['serve', 'control-plane', 'capture-node'] }),
  )
  return 0
}

/** The configuration of a server process, and its log, in which everything odd about the configuration is said once. */
function begin(argv: readonly string[]): { loaded: Loaded; log: Log } {
  const loaded = readOptions(argv)
  const { log: style } = loaded.config
  const level: LogStyle['level'] = loaded.config.debug ? 'debug' : levelOf(style.level)
  const isColoured = process.stderr.isTTY && !style.nocolor && !process.env['NO_COLOR']
  const log = textLog((line) => process.stderr.write(line), { level, json: style.json, colour: isColoured, time: style.time })
  if (process.env[readyVariable] === undefined) {
    for (const notice of loaded.notices) {
      log.warn({}, notice)
    }
  }
  return { loaded, log }
}

/** Upstream's levels have names of zerolog; ours are four. */
function levelOf(name: string): LogStyle['level'] {
  switch (name) {
    case 'trace':
    case 'debug':
      return 'debug'
    case 'warn':
      return 'warn'
    case 'error':
    case 'fatal':
    case 'panic':
    case 'disabled':
      return 'error'
    default:
      return 'info'
  }
}

function redisUrl({ config }: Loaded): string {
  if (config.redis.url === '') {
    throw new NekoError(
      'invalid',
      'set NEKO_REDIS_URL to the Redis that the processes share, or run everything on one machine with neko serve',
    )
  }
  return config.redis.url
}

function help(): string {
  const list = Object.entries(commands).map(([name, { usage, about }]) => `  neko ${`${name} ${usage}`.padEnd(28)} ${about}`)
  return `neko-edge: a shared virtual browser or desktop\n\n${list.join('\n')}\n\n${optionsHelp({ columns: process.stdout.columns ?? 100 })}`
}

async function main([name = 'help', ...argv]: readonly string[]): Promise<number | undefined> {
  if (name === 'help' || [name, ...argv].some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(help())
    return 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) {
    throw new NekoError('invalid', `there is no command ${name}: neko help lists them`)
  }
  return command.run(argv)
}

try {
  const code = await main(process.argv.slice(2))
  if (code !== undefined) {
    process.exitCode = code
  }
} catch (error) {
  // What a user can mend is one clear line; anything else is a fault of ours, and its place helps.
  process.stderr.write(`${error instanceof NekoError ? messageOf(error) : error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
}
