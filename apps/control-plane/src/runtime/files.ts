import { constants, createReadStream } from 'node:fs'
import { access, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableFile, Runtime } from '../runtime.ts'

/** Files through `node:fs`, which both runtimes have. */
export const files: Pick<Runtime, 'openFile' | 'isFolder' | 'readText' | 'writeText'> = {
  async openFile(directory, path): Promise<ReadableFile | undefined> {
    const found = await locate(directory, path)
    if (!found) {
      return undefined
    }
    const { file, size, modified } = found
    return {
      size,
      modified,
      // Readable.toWeb is typed for any chunk; a file's are bytes.
      read: (start, end) => Readable.toWeb(createReadStream(file, { start, end: end - 1 })) as ReadableStream<Uint8Array>,
    }
  },
  isFolder: (path) =>
    access(path, constants.R_OK | constants.X_OK)
      .then(() => stat(path))
      .then(
        (facts) => facts.isDirectory(),
        () => false,
      ),
  readText: (path) => readFile(path, 'utf8'),
  async writeText(path, text) {
    const draft = `${path}.new`
    await writeFile(draft, text, { mode: 0o600 })
    await rename(draft, path)
  },
}

/** The file of a path below a directory; links are followed, but not out of it. */
async function locate(directory: string, path: string): Promise<{ file: string; size: number; modified: number } | undefined> {
  try {
    const root = await realpath(directory)
    const file = await realpath(join(root, path))
    const inside = relative(root, file)
    if (inside.startsWith('..') || isAbsolute(inside)) {
      return undefined
    }
    const facts = await stat(file)
    if (facts.isDirectory()) {
      return path.endsWith('/') ? await locate(directory, `${path}index.html`) : undefined
    }
    return facts.isFile() ? { file, size: facts.size, modified: facts.mtimeMs } : undefined
  } catch {
    // Not there, not readable, or a name that no file system takes: all the same to whoever asks.
    return undefined
  }
}
