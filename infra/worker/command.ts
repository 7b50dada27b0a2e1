import { type SpawnOptions, spawn } from 'node:child_process'
import { writeSync } from 'node:fs'

type Run = { readonly log: number; readonly onLine?: (line: string) => void; readonly options?: SpawnOptions }

/** Runs one command with its output in the log. Throws when it can not start or does not end with 0. */
export async function run(command: string, args: readonly string[], { log, onLine, options = {} }: Run): Promise<void> {
  writeSync(log, `$ ${command} ${args.join(' ')}\n`)
  const child = spawn(command, args, { ...options, stdio: ['ignore', onLine ? 'pipe' : log, log] })
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    writeSync(log, text)
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      onLine?.(line)
    }
  })
  await new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`${command} can not be started: ${cause.message}`, { cause })))
    child.once('close', (code, signal) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code ?? signal}`))))
  })
}
