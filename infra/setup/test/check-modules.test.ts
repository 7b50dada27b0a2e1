import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const script = join(import.meta.dirname, '../check-modules.ts')
const native = { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] }
let root = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'neko-modules-'))
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

/** A project whose lock file wants the one and whose node_modules holds the other. */
function project(wanted: Record<string, object>, installed: Record<string, object>): void {
  for (const path of Object.keys(installed)) {
    mkdirSync(join(root, path), { recursive: true })
  }
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: wanted }))
  writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }))
}

function check(): { code: number | null; err: string } {
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
  return { code: status, err: stderr }
}

test('[INF-13] a tree that holds what the lock wants is right, whatever else is in it', () => {
  const other = { 'node_modules/windows': { ...native, os: ['win32'] }, 'node_modules/wasm': { version: '1.0.0', optional: true } }
  project({ 'node_modules/a': { version: '1.0.0' }, ...other }, { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': {} })
  expect(check()).toEqual({ code: 0, err: '' })
})

test('[INF-14] another version, and a native package that npm left out, are named', () => {
  project(
    { 'node_modules/a': { version: '2.0.0' }, 'node_modules/native': native, 'node_modules/musl': { ...native, libc: ['musl'] } },
    { 'node_modules/a': { version: '1.0.0' } },
  )
  const { code, err } = check()
  expect(code).toBe(1)
  expect(err.trim().split('\n').slice(1)).toEqual(['node_modules/a', 'node_modules/native'])
})
