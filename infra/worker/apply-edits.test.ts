import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { applyEdit } from './apply-edits.ts'
import { mediasoupFolder } from './locate.ts'
import { edits } from './recipe/edits.ts'

const edit = { file: 'a.cpp', expects: 'a == b', replaceWith: 'a & $&', why: 'a test' }

test('[INF-1] an edit replaces its line and nothing else, whatever characters the new text has', () => {
  expect(applyEdit('if (a == b) {}', edit)).toBe('if (a & $&) {}')
})

test('[INF-2] an edit whose text is gone or stands twice fails and names file and text', () => {
  expect(() => applyEdit('if (a != b) {}', edit)).toThrow('a.cpp: expected once, found 0 times: "a == b"')
  expect(() => applyEdit('a == b; a == b', edit)).toThrow('found 2 times')
})

test.for(edits)('[INF-3] the edit of $file fits the installed mediasoup', (real) => {
  const source = readFileSync(join(mediasoupFolder, 'worker', real.file), 'utf8')
  expect(applyEdit(source, real)).toContain(real.replaceWith)
})
