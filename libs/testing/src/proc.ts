/** CPU time and memory of processes, as Linux accounts them in /proc. */
import { readdir, readFile, readlink } from 'node:fs/promises'

/** Linux counts CPU time of a process in hundredths of a second on every platform that we run on (USER_HZ). */
const usPerTick = 10_000
const kib = 1024

export interface ProcessUsage {
  pid: number
  parent: number
  /** The executable's name, at most 15 characters. */
  name: string
  /** User and system time since it started, its ended children not included. */
  cpuUs: number
  /** Of that, what the kernel did for it. */
  systemUs: number
  /** Pages in memory; what it shares with others is counted in each of them. */
  rssBytes: number
  /** Pages in memory, each shared page divided by its users: what adds up. Equal to `rssBytes` where the kernel does not tell us. */
  pssBytes: number
}

/** What process `pid` has used so far; undefined when there is none. */
export async function usageOf(pid: number): Promise<ProcessUsage | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined)
  if (stat === undefined) {
    return undefined
  }
  // The name is in parentheses and may itself hold spaces and parentheses (proc(5)): count from the last one.
  const nameEnd = stat.lastIndexOf(')')
  const fields = stat.slice(nameEnd + 2).split(' ')
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '')
  const rssBytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * kib
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '')
  const pss = /^Pss:\s+(\d+)/m.exec(rollup)?.[1]
  return {
    pid,
    parent: Number(fields[1]),
    name: stat.slice(stat.indexOf('(') + 1, nameEnd),
    cpuUs: (Number(fields[11]) + Number(fields[12])) * usPerTick,
    systemUs: Number(fields[12]) * usPerTick,
    rssBytes,
    pssBytes: pss === undefined ? rssBytes : Number(pss) * kib,
  }
}

/** `root` and every process below it, parents first. Empty when there is no such process. */
export async function processTree(root: number): Promise<ProcessUsage[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const all = (await Promise.all(pids.map(usageOf))).filter((usage) => usage !== undefined)
  const tree = all.filter((usage) => usage.pid === root)
  for (const parent of tree) {
    tree.push(...all.filter((usage) => usage.parent === parent.pid)) // grows while it is walked: that is the descent
  }
  return tree
}

/** CPU time of each thread of `pid` that still runs, with the thread's name; empty when the process is gone. */
export async function threadsOf(pid: number): Promise<{ name: string; cpuUs: number }[]> {
  const ids = await readdir(`/proc/${pid}/task`).catch(() => [])
  const threads = ids.map(async (id) => {
    const name = await readFile(`/proc/${pid}/task/${id}/comm`, 'utf8').catch(() => '')
    // schedstat begins with the nanoseconds on a processor: finer than the ticks of stat.
    const schedule = await readFile(`/proc/${pid}/task/${id}/schedstat`, 'latin1').catch(() => '0')
    return { name: name.trim(), cpuUs: Number(schedule.split(' ')[0]) / 1_000 }
  })
  return Promise.all(threads)
}

/** The command line of `pid`, arguments joined by spaces; empty when it is gone. */
export async function commandLineOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return line.split('\0').join(' ').trim()
}

/** Whether `pid` still runs: a zombie, which only waits to be reaped, does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const executable = await readlink(`/proc/${pid}/exe`).catch(() => undefined)
  return executable !== undefined
}
