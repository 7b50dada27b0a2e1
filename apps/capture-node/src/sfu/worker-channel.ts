import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Duplex } from 'node:stream'
import { assert } from '@neko-edge/kit'
import { createWorker } from 'mediasoup'
import type { Worker, WorkerSettings } from 'mediasoup/types'

/** Where the worker reads what Node tells it: the first of the two pipes that mediasoup gives it. */
const channelDescriptor = 3

/** Does what writes to the worker so that all of it arrives as one: one system call here, one wake-up there. */
export type Together = (write: () => void) => void

/**
 * Starts a worker of mediasoup, and gives a way to write to it in one go. mediasoup writes every message by itself and keeps the pipe
 * to itself; but a process that Node starts is told of on the diagnostics channel `child_process`, and its pipes are ordinary streams.
 */
export async function startWorker(settings: WorkerSettings): Promise<{ worker: Worker; together: Together }> {
  const children: ChildProcess[] = []
  const note = (message: unknown): void => {
    // Node documents the message: `{ process }`, the ChildProcess.
    children.push((message as { process: ChildProcess }).process)
  }
  subscribe('child_process', note)
  try {
    const worker = await createWorker(settings)
    const child = children.find(({ pid }) => pid === worker.pid)
    assert(child !== undefined, 'mediasoup starts its worker with node:child_process')
    // Node types extra descriptors as Readable | Writable; a 'pipe' is a socket pair.
    const channel = child.stdio[channelDescriptor] as Duplex
    const together: Together = (write) => {
      channel.cork()
      try {
        write()
      } finally {
        channel.uncork()
      }
    }
    return { worker, together }
  } finally {
    unsubscribe('child_process', note)
  }
}
