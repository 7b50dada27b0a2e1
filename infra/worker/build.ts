import { closeSync, cpSync, globSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { applyEdits } from './apply-edits.ts'
import { run } from './command.ts'
import { type Flavour, mediasoupFolder, recipeFolder } from './locate.ts'
import { editsOf } from './recipe/edits.ts'

/** What a compiler process of the unity build takes at its peak, so that a small machine with many cores does not start to swap. */
const bytesPerJob = 600e6

/** What mediasoup's `worker` folder must give; the rest of it are tests, fuzzers and meson's downloads. */
const sourceParts = ['src', 'include', 'fbs', 'deps/libwebrtc', 'meson.build']

type Build = {
  readonly flavour: Flavour
  /** With AddressSanitizer and UndefinedBehaviorSanitizer: slow, for tests. */
  readonly isSanitized?: boolean
  /** Where to build: emptied first. */
  readonly folder: string
  /** Where the output of every command goes. */
  readonly logFile: string
  /** Called with 0 to 100 as the build proceeds. */
  readonly onProgress: (percent: number) => void
}

/** Builds the worker from mediasoup's source and gives the path of the executable, not verified yet. Throws when a command fails. */
export async function buildWorker({ flavour, isSanitized = false, folder, logFile, onProgress }: Build): Promise<string> {
  const [source, generated, output] = ['source', 'generated', 'output'].map((name) => join(folder, name)) as [string, string, string]
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(generated, 'FBS'), { recursive: true })
  for (const part of sourceParts) {
    cpSync(join(mediasoupFolder, 'worker', part), join(source, part), { recursive: true })
  }
  applyEdits(source, editsOf[flavour])

  const log = openSync(logFile, 'a')
  try {
    const schemas = globSync('*.fbs', { cwd: join(source, 'fbs') }).map((name) => join(source, 'fbs', name))
    await run('flatc', [...flatcOptions, '-o', join(generated, 'FBS'), ...schemas], { log })
    const defines = { SOURCE: source, GENERATED: generated, FAST: flavour === 'fast', SANITIZE: isSanitized }
    const options = Object.entries(defines).map(([name, value]) => `-D${name}=${typeof value === 'boolean' ? Number(value) : value}`)
    await run('cmake', ['-G', 'Ninja', '-S', recipeFolder, '-B', output, '-DCMAKE_BUILD_TYPE=Release', ...options], { log })
    await run('ninja', ['-C', output, `-j${jobs()}`], { log, onLine: (line) => reportPercent(line, onProgress) })
  } finally {
    closeSync(log)
  }
  return join(output, 'mediasoup-worker')
}

/** The options of mediasoup's own meson.build: the names in the generated code depend on them. */
const flatcOptions = ['--cpp', '--cpp-field-case-style', 'lower', '--reflect-names', '--scoped-enums', '--filename-suffix', '']

function jobs(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / bytesPerJob)))
}

function reportPercent(line: string, onProgress: (percent: number) => void): void {
  const [, done, all] = /^\[(\d+)\/(\d+)\]/.exec(line) ?? []
  if (done && all) {
    onProgress(Math.floor((100 * Number(done)) / Number(all)))
  }
}
