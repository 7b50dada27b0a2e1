import { readdirSync, readFileSync } from 'node:fs'
import { errorCode } from '@neko-edge/kit'

/** Sends `signal` to every process of the group `id`; 0 only asks. Gives whether there was somebody to get it, zombies included. */
export function signalGroup(id: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-id, signal)
  } catch (error) {
    // EPERM: members exist, all under a user that we may not signal; they are no children of ours any more.
    if (['ESRCH', 'EPERM'].includes(errorCode(error) ?? '')) {
      return false
    }
    throw error
  }
}

/**
 * Whether a process of the group `id` still runs. A dead one that its parent has not collected yet does not count: orphans are
 * collected by process 1, which may take its time, or in a container never do it.
 */
export function groupRuns(id: number): boolean {
  return signalGroup(id, 0) && readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && isRunningMember(entry, id))
}

function isRunningMember(pid: string, group: number): boolean {
  try {
    // pid (name) state ppid pgrp …; the name may hold blanks and brackets, so the fields count from its end.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(pgrp) === group && state !== 'Z' && state !== 'X'
  } catch {
    // The process ended while the list was read.
    return false
  }
}
