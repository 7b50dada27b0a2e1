import { optionsHelp, shells } from '@neko-edge/config'
import { messageOf, NekoError } from '@neko-edge/kit'
import { runCompletion, runConfig, runMigrate } from './config-command.ts'
import { fleetHelp, runFleet } from './fleet-command.ts'
import { loadTestHelp, runLoadTest } from './load-test-command.ts'
import { runCaptureNode, runControlPlane, runServe } from './server-process.ts'

/** A command of the CLI: its own arguments, and the exit code where it ends by itself. */
interface Command {
  readonly about: string
  readonly usage: string
  /** Its own help, where it is not about options. */
  readonly help?: string
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
  'migrate-config': {
    usage: '[--to=env] FILE…',
    about: 'rewrite a compose file, env file, YAML or docker command of neko V2 or V3 as V3',
    run: runMigrate,
  },
  fleet: {
    usage: 'rooms | create | nodes | …',
    about: 'the rooms and nodes of a fleet, over its rooms API: neko fleet --help',
    help: fleetHelp,
    run: runFleet,
  },
  'load-test': {
    usage: '--url URL --members N …',
    about: 'many members who watch a room of your own server, and what reaches them: neko load-test --help',
    help: loadTestHelp,
    run: runLoadTest,
  },
  completion: {
    usage: shells.join(' | '),
    about: 'print a completion script for a shell',
    run: (argv) => runCompletion(argv, Object.keys(commands)),
  },
}

function help(): string {
  const list = Object.entries(commands).map(([name, { usage, about }]) => `  ${`neko ${name} ${usage}`.padEnd(38)} ${about}`)
  const options = optionsHelp({ columns: process.stdout.columns ?? 100 })
  return `neko-edge: a shared virtual browser or desktop\n\n${list.join('\n')}\n\n${options}`
}

async function main([name = 'help', ...argv]: readonly string[]): Promise<number | undefined> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (name === 'help' || [name, ...argv].some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(command?.help ?? help())
    return 0
  }
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
