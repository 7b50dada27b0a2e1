import { defineConfig } from 'vitest/config'

/** What may take long in a test with real parts: a cold start of Redis, GStreamer or an X server on a busy machine. */
const integrationTimeoutMs = 30_000
const endToEndTimeoutMs = 180_000

export default defineConfig({
  test: {
    reporters: ['default', './infra/setup/count-reporter.ts'],
    // A test that never ends is a failed test; a process that it leaves must not keep the run open.
    teardownTimeout: 10_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{apps,libs}/*/src/**/*.test.{ts,tsx}', 'infra/*/*.test.ts', 'test/bench/*.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['{apps,libs,infra}/*/test/**/*.test.ts', 'test/{contract,fuzz,runtime}/**/*.test.ts'],
          testTimeout: integrationTimeoutMs,
          hookTimeout: integrationTimeoutMs,
          // They wait more than they work: two cores take three files at a time.
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: endToEndTimeoutMs,
          hookTimeout: endToEndTimeoutMs,
          // One real desktop at a time: two would measure each other's load.
          fileParallelism: false,
        },
      },
    ],
  },
})
