import { appendFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

/**
 * Adds one line `passed failed` to the file that NEKO_TEST_COUNTS names, when a vitest run ends, so that `run.sh test` can print one
 * sum over all its runs. A file that fails before its tests are known, and an unhandled error, count as one failure each.
 * Without that variable it does nothing.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env['NEKO_TEST_COUNTS']
    if (!file) {
      return
    }
    let passed = 0
    let failed = unhandledErrors.length
    for (const module of modules) {
      const results = [...module.children.allTests()].map((test) => test.result().state)
      passed += results.filter((state) => state === 'passed').length
      failed += results.filter((state) => state === 'failed' || state === 'pending').length + (module.errors().length > 0 ? 1 : 0)
    }
    appendFileSync(file, `${passed} ${failed}\n`)
  }
}
