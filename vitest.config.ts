import { defineConfig } from 'vitest/config'
import { repositoryRoot } from './bin/bundle.js'
import { testPlugin } from './bin/scenario-registry.js'

export default defineConfig({
  plugins: [testPlugin(repositoryRoot)],
  test: {
    include: ['{bin,engine,harness,scenarios,reports}/**/*.test.ts'],
    globalSetup: ['engine/testing/run-folder.ts'],
    setupFiles: ['engine/testing/property-seed.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // No measure of speed: the longest tests take 12 s alone, and the machine may be busy with others.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    restoreMocks: true,
    // Otherwise a style sheet imported as text is replaced by an empty one.
    css: true,
  },
})
