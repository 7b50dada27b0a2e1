import { Cluster } from 'ioredis'
import type { Connection } from './connection.ts'
import { reach } from './script.ts'

/** How many scripts this Redis (the masters of a cluster) has run since its start, and how long they took: while one runs, everybody else waits. */
export async function scriptUse({ commands }: Connection): Promise<{ calls: number; seconds: number }> {
  const servers = commands instanceof Cluster ? commands.nodes('master') : [commands]
  const texts = await reach(Promise.all(servers.map((server) => server.info('commandstats'))))
  const uses = [...texts.join('').matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+),usec=(\d+)/gm)]
  const sum = (index: 1 | 2) => uses.reduce((total, use) => total + Number(use[index]), 0)
  return { calls: sum(1), seconds: sum(2) / 1_000_000 }
}
