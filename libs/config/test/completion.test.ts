import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { completionScript } from '../src/completion.ts'

const script = completionScript('bash', { program: 'neko', commands: ['serve', 'config', 'doctor'], withOptions: ['serve', 'config'] })

/** What bash offers for a line whose last word is being written. */
function offered(words: readonly string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(' ')
  const program = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _neko; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['--norc', '-c', program], { encoding: 'utf8' }).trim().split('\n')
}

test('[CFG-95] bash completes commands, options and words of a choice', () => {
  expect(offered(['neko', 's'])).toEqual(['serve'])
  expect(offered(['neko', 'serve', '--capture.video.hw'])).toEqual(['--capture.video.hwenc'])
  expect(offered(['neko', 'serve', '--capture.video.hwenc', 'n'])).toEqual(['none', 'nvenc'])
  expect(offered(['neko', 'serve', '--capture.video.hwenc', '=', 'v'])).toEqual(['vaapi'])
  expect(offered(['neko', 'serve', '--capture.video.hwenc', '='])).toEqual(['none', 'vaapi', 'nvenc'])
  expect(offered(['neko', 'doctor', '--server'])).toEqual([''])
})
