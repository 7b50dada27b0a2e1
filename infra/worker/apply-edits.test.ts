import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { applyEdit } from './apply-edits.ts'
import { mediasoupFolder } from './locate.ts'
import { editsOf } from './recipe/edits.ts'

const edit = { file: 'a.cpp', expects: 'a == b', replaceWith: 'a & $&', why: 'a test' }

test('[INF-1] an edit replaces its line and nothing else, whatever characters the new text has', () => {
  expect(applyEdit('if (a == b) {}', edit)).toBe('if (a & $&) {}')
})

test('[INF-2] an edit whose text is gone or stands twice fails and names file and text', () => {
  expect(() => applyEdit('if (a != b) {}', edit)).toThrow('a.cpp: expected once, found 0 times: "a == b"')
  expect(() => applyEdit('a == b; a == b', edit)).toThrow('found 2 times')
})

test.for(Object.entries(editsOf))('[INF-3] the edits of the %s worker fit the installed mediasoup, one after the other', ([, edits]) => {
  const sources = new Map<string, string>()
  for (const edit of edits) {
    const before = sources.get(edit.file) ?? readFileSync(join(mediasoupFolder, 'worker', edit.file), 'utf8')
    const after = applyEdit(before, edit)
    expect(after).toContain(edit.replaceWith)
    sources.set(edit.file, after)
  }
})
