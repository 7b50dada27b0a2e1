export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]
export type LogFields = Readonly<Record<string, unknown>>

/** Where a process says what happens: a short constant phrase in lower case, with the data in fields. Never a secret, a clipboard or a typed key. */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  child(fields: LogFields): Log
}

/** A log that says nothing: for tools whose output is their result. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog }

/** A log that hands each line to `write`; what a runtime's `main` and tests build theirs from. */
export function createLog(write: (level: LogLevel, fields: LogFields, message: string) => void, bound: LogFields = {}): Log {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => write(level, { ...bound, ...fields }, message)
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createLog(write, { ...bound, ...fields }),
  }
}
