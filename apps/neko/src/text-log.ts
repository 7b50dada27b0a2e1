import { createLog, type Log, type LogFields, type LogLevel, logLevels } from '@neko-edge/kit'

export interface LogStyle {
  /** Lines below this level are left out. */
  readonly level: LogLevel
  readonly json: boolean
  readonly colour: boolean
  /** The form of the time in JSON lines: seconds, milliseconds or microseconds since 1970. */
  readonly time: 'unix' | 'unixms' | 'unixmicro'
}

const colours: Record<LogLevel, string> = { debug: '\x1b[90m', info: '\x1b[32m', warn: '\x1b[33m', error: '\x1b[31m' }
const reset = '\x1b[0m'
const dim = '\x1b[2m'

/** A log of one line an event: `12:00:01 INFO  room claimed room=default epoch=3`, or one JSON object. */
export function textLog(write: (line: string) => void, { level, json, colour, time }: LogStyle): Log {
  const lowest = logLevels.indexOf(level)
  return createLog((at, fields, message) => {
    if (logLevels.indexOf(at) >= lowest) {
      write(json ? jsonLine(at, { fields, message, time }) : textLine(at, { fields, message, colour }))
    }
  })
}

function jsonLine(level: LogLevel, { fields, message, time }: { fields: LogFields; message: string; time: LogStyle['time'] }): string {
  const now = Date.now()
  const stamp = { unix: Math.floor(now / 1000), unixms: now, unixmicro: now * 1000 }[time]
  return `${JSON.stringify({ level, ...fields, time: stamp, message })}\n`
}

function textLine(level: LogLevel, { fields, message, colour }: { fields: LogFields; message: string; colour: boolean }): string {
  const clock = new Date().toTimeString().slice(0, 8)
  const label = level.toUpperCase().padEnd(5)
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => (colour ? `${dim}${key}=${reset}${plain(value)}` : `${key}=${plain(value)}`))
  return `${clock} ${colour ? `${colours[level]}${label}${reset}` : label} ${[message, ...pairs].join(' ')}\n`
}

/** A value on one line: quoted where a reader could not see where it ends. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return typeof value === 'string' && !/^[\w.:/@%+-]+$/.test(text) ? JSON.stringify(text) : text
}
