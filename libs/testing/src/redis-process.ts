import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type NetConnectOpts } from 'node:net'
import { NekoError, until } from '@neko-edge/kit'

const readyMs = 5_000

/** Starts Debian's redis-server with `options` and waits until it answers at `address`. `unavailable` when it is not installed or ends at once. */
export async function startRedisServer(address: NetConnectOpts, options: readonly string[]): Promise<ChildProcess> {
  // setpriv: a test run that is killed takes its Redis along, which no exit handler of ours could promise.
  const child = spawn('setpriv', ['--pdeathsig', 'SIGKILL', '--', 'redis-server', ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const note = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', note)
  child.stderr.on('data', note)
  child.on('error', note.bind(undefined, Buffer.from('setpriv and redis-server are needed: apt-get install redis-server\n')))
  const answers = async () => {
    if (child.exitCode !== null || child.pid === undefined) {
      throw new NekoError('unavailable', `redis-server ended at once: ${output.trim()}`)
    }
    return (await redisCommand(address, 'PING').catch(() => '')).startsWith('+PONG')
  }
  try {
    await until(answers, { ms: readyMs, what: 'redis-server answers', everyMs: 5 })
    return child
  } catch (error) {
    await killRedisServer(child)
    throw error
  }
}

/** Sends one command in words, and gives the first piece of the answer as it comes: `+OK`, `-ERR …`, `$5…`. */
export async function redisCommand(address: NetConnectOpts, command: string): Promise<string> {
  const socket = connect(address)
  try {
    socket.write(`${command}\r\n`)
    const [answer] = await once(socket, 'data')
    return String(answer)
  } finally {
    socket.destroy()
  }
}

/** SIGKILL, and waits for the end. */
export async function killRedisServer(child: ChildProcess | undefined): Promise<void> {
  if (child && child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) {
    await once(child, 'exit')
  }
}
