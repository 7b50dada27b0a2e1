import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Edit } from './recipe/edits.ts'

/** `source` with the edit made; throws and says what to do where the expected text is not there exactly once. */
export function applyEdit(source: string, edit: Edit): string {
  const found = source.split(edit.expects).length - 1
  if (found !== 1) {
    throw new Error(
      `${edit.file}: expected once, found ${found} times: "${edit.expects}". mediasoup's source has changed; ` +
        'see "A new mediasoup release" in infra/worker/README.md',
    )
  }
  return source.replace(edit.expects, () => edit.replaceWith)
}

/** Makes all edits in the copy of mediasoup's worker source at `folder`. */
export function applyEdits(folder: string, edits: readonly Edit[]): void {
  for (const edit of edits) {
    const path = join(folder, edit.file)
    writeFileSync(path, applyEdit(readFileSync(path, 'utf8'), edit))
  }
}
