import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neko-setup-'))
  chmodSync(folder, 0o777)
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** Puts a program of that name first in PATH. */
function stub(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, name), 0o755)
}

function shell(script: string, path = `${folder}:${process.env['PATH']}`): { code: number | null; out: string; err: string } {
  const env = { ...process.env, PATH: path, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') }
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { cwd: root, env, encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

test('[INF-8] an unknown verb prints the verbs and ends with 2', () => {
  const { code, err } = shell('sh infra/setup/run.sh dance')
  expect(code).toBe(2)
  expect(err).toContain('start|neko|setup|check')
})

test('[INF-15] what neko prints can go into a file: the set-up speaks on the other channel', () => {
  const { code, out, err } = shell('sh infra/setup/run.sh neko completion bash')
  expect(code).toBe(0)
  expect(out).not.toContain('npm packages')
  expect(out).toContain('complete -')
  expect(err).toContain('npm packages')
})

test('[INF-9] the packages that are not installed are found, and only those', () => {
  const { out } = shell('. infra/setup/packages.sh; missing_of dpkg no-such-package coreutils')
  expect(out.trim()).toBe('no-such-package')
})

test('[INF-10] without root or sudo the one missing command is printed, and the exit code is 1', () => {
  stub('dpkg-query', 'exit 1')
  stub('sudo', 'exit 1')
  stub('id', 'echo 1000')
  const { code, err } = shell('sh infra/setup/run.sh setup </dev/null')
  expect(code).toBe(1)
  const commands = err.split('\n').filter((line) => line.includes('apt-get'))
  expect(commands).toHaveLength(1)
  expect(commands[0]).toMatch(/^ {2}sudo apt-get update && sudo apt-get install -y --no-install-recommends .*\bchromium\b.*\bcmake\b/)
})

test('[INF-11] a system without apt-get is told what to install, and the exit code is 1', () => {
  for (const tool of ['dirname', 'uname', 'mkdir', 'flock', 'sed', 'tr']) {
    symlinkSync(`/usr/bin/${tool}`, join(folder, tool))
  }
  const { code, err } = shell('/bin/sh infra/setup/run.sh setup', folder)
  expect(code).toBe(1)
  expect(err).toContain('Docker')
  expect(err).toContain('xserver-xorg-core')
})

test('[INF-12] a step that fails names its log, shows the end of it and says what to do', () => {
  stub('npm', 'echo "npm error network"; exit 1')
  const script = `
    cache=$XDG_CACHE_HOME; arch=none; mkdir -p "$cache/log"
    . infra/setup/step.sh; . infra/setup/modules.sh; provide_modules`
  const { code, err } = shell(script)
  expect(code).toBe(1)
  expect(err).toContain(join(folder, 'cache/log/npm-ci.log'))
  expect(err).toContain('npm error network')
  expect(err).toContain('registry')
})
