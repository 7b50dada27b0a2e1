import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { until } from '@neko-edge/kit'
import { expect, test } from 'vitest'
import { commandLineOf, isRunning, processTree, threadsOf, usageOf } from '../src/index.ts'

test('[TST-7] a process tree is seen with names, CPU time and memory, and is gone when it ended', async () => {
  const shell = spawn('sh', ['-c', 'sleep 60 & i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; wait'], { detached: true })
  const pid = shell.pid ?? 0
  try {
    const tree = () => processTree(pid)
    await until(async () => ((await tree())[0]?.cpuUs ?? 0) > 0 && (await tree()).length === 2, { ms: 10_000, what: 'the shell counted' })
    const [parent, child] = await tree()
    expect(parent).toMatchObject({ pid, parent: process.pid })
    expect(child).toMatchObject({ name: 'sleep', parent: pid })
    expect(child?.rssBytes).toBeGreaterThan(0)
    expect(await commandLineOf(child?.pid ?? 0)).toBe('sleep 60')
    expect((await threadsOf(pid))[0]?.cpuUs).toBeGreaterThan(0)
  } finally {
    process.kill(-pid, 'SIGKILL')
    await once(shell, 'exit')
  }
  expect(await isRunning(pid)).toBe(false)
  expect(await usageOf(pid)).toBeUndefined()
  expect(await processTree(pid)).toEqual([])
})
