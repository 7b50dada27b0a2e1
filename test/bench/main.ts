/** `npm run bench -- NAME`: measures our server, or with `--url` any other neko V3 server, and prints JSON. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { messageOf } from '@neko-edge/kit'
import { cachedWorker } from '../../infra/worker/locate.ts'
import { obtainWorker } from '../../infra/worker/obtain.ts'
import { client, clientParts } from './client.ts'
import { controlPlane } from './control-plane.ts'
import { faults } from './faults.ts'
import { firstLight } from './first-light.ts'
import { packetCheck } from './packet-check.ts'
import { packetPath } from './packet-path.ts'
import { scale } from './scale.ts'
import { servedPackets } from './served-packets.ts'

const usage = `bench client [--part ${clientParts.join('|')}]... [--runs N] [--clicks N] [--minutes N]
  our page in a real Chromium: weight, first paint, login to picture, click to pixel, CPU, 2 000 members, memory
  --part      what to measure; may be given several times (all)
  --minutes   how long it watches a moving room (1)
bench control-plane
  one control plane of ours, without a desktop: logins, sockets, requests, fan-out
bench faults [--only worker,relay,node,control-plane,redis-kill,redis-pause,redis-empty,node-stop] [--rounds N] [--seed N]
  kills and stops parts of a fleet of ours under viewers, and says how long who saw nothing: median, 95th percentile and worst
  --only      some of the faults (all, which takes half an hour)
  --rounds    how often each (20)
  --seed      what follows from chance: who is struck, for how long (1)
bench first-light [--url URL [--password PASSWORD] [--pid PID]...] [--runs N] [--clicks N] [--starts N] [--viewers 0,1,10,50]
  --url       a neko V3 server that runs already; without it ours is started and stopped
  --password  its password for ordinary users (neko)
  --pid       root of a process tree that belongs to it; may be given several times
  --runs      connections to time (20)
  --clicks    clicks to time (50); for --url the room shows test/bench/click-page.html
  --starts    starts of our server to time (3)
  --viewers   how many viewers to measure the load with, rising (0,1,10,50)
bench packet-path [--worker fast|stock|PATH]... [--viewers 200,400,900] [--windows N] [--seconds N]
  what a packet costs that our SFU forwards, without and with transport-cc
  --worker    a media worker to measure; may be given several times (stock and fast)
  --viewers   how many viewers, rising (200,400,900)
  --windows   how often to measure with each number of viewers (5)
  --seconds   how long each time (4)
bench packet-path --url URL [--password PASSWORD] [--pid PID]... [--viewers 1,25,50,100] [--windows N] [--seconds N]
  the same of a neko V3 server that runs already, by its own picture: what each viewer costs beyond the first
bench packet-check [--worker fast|stock|PATH]... [--packets N]
  whether every packet arrives as it was sent, in order, whatever happens on the way; wants some minutes
  --packets   how many (10000000)
bench scale [--only worker,worker-720p,room,hop,storm,idle] [--worker fast|stock|PATH]
  how far one machine goes: viewers a worker, a room of 2 000, a relay's hop, 500 who come in 10 s, 10 000 idle sockets
  --only      some of it (all, which takes ten minutes)
  --worker    the media worker (fast)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    part: { type: 'string', multiple: true, default: clientParts },
    password: { type: 'string', default: 'neko' },
    pid: { type: 'string', multiple: true, default: [] },
    runs: { type: 'string', default: '20' },
    clicks: { type: 'string', default: '50' },
    starts: { type: 'string', default: '3' },
    viewers: { type: 'string' },
    worker: { type: 'string', multiple: true, default: ['stock', 'fast'] },
    windows: { type: 'string', default: '5' },
    packets: { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '4' },
    minutes: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
})

const progress = (part: string) => console.error(`bench: ${part}`)

async function run(name: string | undefined): Promise<unknown> {
  switch (name) {
    case 'client':
      return client(
        { parts: values.part, runs: Number(values.runs), clicks: Number(values.clicks), minutes: Number(values.minutes) },
        progress,
      )
    case 'control-plane':
      return controlPlane(progress)
    case 'faults':
      return faults({ only: values.only.split(',').filter(Boolean), rounds: Number(values.rounds), seed: Number(values.seed) }, progress)
    case 'first-light':
      return firstLight(firstLightOptions(), progress)
    case 'packet-check':
      return packetCheck({ workers: await workers(), packets: Number(values.packets) }, progress)
    case 'packet-path':
      return values.url === undefined ? packetPath(await packetPathOptions(), progress) : servedPackets(servedOptions(values.url), progress)
    case 'scale':
      return scale({ only: values.only.split(',').filter(Boolean), workerBin: (await workers()).at(-1)?.path ?? '' }, progress)
    default:
      console.error(usage)
      process.exit(2)
  }
}

try {
  const result = await run(positionals[0])
  console.log(JSON.stringify(result, undefined, 2))
  // A WebSocket that its server never closes would keep this process alive.
  process.exit(0)
} catch (error) {
  console.error(`bench: ${messageOf(error)}`)
  process.exit(1)
}

function firstLightOptions() {
  return {
    url: values.url,
    password: values.password,
    pids: values.pid.map(Number),
    runs: Number(values.runs),
    clicks: Number(values.clicks),
    starts: Number(values.starts),
    viewers: viewerCounts('0,1,10,50'),
  }
}

async function packetPathOptions() {
  return { workers: await workers(), viewers: viewerCounts('200,400,900'), ...windows() }
}

function servedOptions(url: string) {
  return { url, password: values.password, pids: values.pid.map(Number), viewers: viewerCounts('1,25,50,100'), ...windows() }
}

function windows() {
  return { windows: Number(values.windows), windowMs: Number(values.seconds) * 1_000 }
}

/** The programs to measure. One of ours that is not there yet is built first, which takes two minutes; a path that is not there is left out. */
async function workers(): Promise<{ name: string; path: string }[]> {
  const found: { name: string; path: string }[] = []
  for (const name of values.worker) {
    const isOurs = name === 'fast' || name === 'stock'
    let path = isOurs ? cachedWorker(name) : name
    if (isOurs && !existsSync(path)) {
      progress(`building the ${name} worker`)
      path = await obtainWorker({ way: 'build', flavour: name }, () => undefined)
    }
    if (existsSync(path)) {
      found.push({ name, path })
    } else {
      progress(`worker ${name}: not there, left out`)
    }
  }
  return found
}

function viewerCounts(otherwise: string): number[] {
  return (values.viewers ?? otherwise).split(',').map(Number)
}
