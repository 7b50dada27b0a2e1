import type { Context, MiddlewareHandler } from 'hono'
import type { SocketEvents } from './session/socket-life.ts'

/** A file that can be sent: its size in bytes, when it changed (milliseconds since 1970), and its bytes from `start` to before `end`. */
export interface ReadableFile {
  readonly size: number
  readonly modified: number
  read(start: number, end: number): ReadableStream<Uint8Array>
}

/** Takes profiles of the process for so many milliseconds; gives them as JSON of V8's own formats. */
export interface Profiler {
  cpu(ms: number): Promise<string>
  heap(ms: number): Promise<string>
}

/** The few things in which Node and Deno differ; the entry files bring them, nothing else knows a runtime. */
export interface Runtime {
  /** Answers an upgrade with a WebSocket whose life goes to the events; throws on a request that is no upgrade. */
  upgrade(events: (context: Context) => SocketEvents): MiddlewareHandler
  /** The address at the other end of the TCP connection. */
  peerAddress(context: Context): string
  /** A file below `directory`, never outside of it; `undefined` where there is none. A directory stands for its `index.html`. */
  openFile(directory: string, path: string): Promise<ReadableFile | undefined>
  /** Whether this is a directory whose files can be read. */
  isFolder(path: string): Promise<boolean>
  /** The text of a file; fails as the runtime does. */
  readText(path: string): Promise<string>
  /** Replaces a file in one step. */
  writeText(path: string, text: string): Promise<void>
  /** Absent where the runtime can take none. */
  readonly profiler?: Profiler
}
