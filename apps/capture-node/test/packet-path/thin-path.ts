/** `checkThinPath` in a network namespace of its own, whose loopback has a rate: started as a process inside, it prints the outcome as JSON. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type CheckOptions, checkThinPath, type Outcome } from './packet-check.ts'

/** More may wait than a socket holds, so that the worker is told EAGAIN; nothing is dropped. */
const shape = 'tc qdisc add dev lo root tbf rate 8mbit burst 32kb latency 20s'
const self = fileURLToPath(import.meta.url)

/** Errors: a machine without iproute2, or where this user may make no namespace. */
export async function checkThinPathInNamespace({ workerBin, viewers, ms }: CheckOptions): Promise<Outcome> {
  const user = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const script = `ip link set lo up && ${shape} && exec "$@"`
  const inside = [process.execPath, self, workerBin, String(viewers), String(ms)]
  const { stdout } = await promisify(execFile)('unshare', ['--net', ...user, 'sh', '-c', script, 'sh', ...inside])
  return JSON.parse(stdout) as Outcome // its own words
}

if (process.argv[1] === self) {
  const [, , workerBin = '', viewers, ms] = process.argv
  console.log(JSON.stringify(await checkThinPath({ workerBin, viewers: Number(viewers), ms: Number(ms) })))
}
