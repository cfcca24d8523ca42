import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Each `argus` that a test starts loads some hundred files: what Node made of them is kept, which halves its start.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/node-compile');

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          testTimeout: 20_000,
          expect: { poll: { timeout: 15_000 } },
        },
      },
      {
        test: {
          name: 'contract',
          include: ['tests/contract/**/*.test.ts'],
          // Two files at a time: half of what they take is waited for.
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          // Only what never comes runs into these: on a busy machine one JVM may take a minute to start.
          testTimeout: 180_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          // One group after the other, one file at a time: servers share two cores.
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          expect: { poll: { timeout: 30_000 } },
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'full',
          include: ['tests/full/**/*.test.ts'],
          // One group after the other, one file at a time: servers share two cores.
          sequence: { groupOrder: 3 },
          maxWorkers: 1,
          testTimeout: 600_000,
          hookTimeout: 240_000,
          expect: { poll: { timeout: 30_000 } },
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['tests/cluster/**/*.test.ts'],
          // Regions with real pods, one file at a time: each compares the machine before and after.
          sequence: { groupOrder: 6 },
          maxWorkers: 1,
          testTimeout: 600_000,
          hookTimeout: 240_000,
          expect: { poll: { timeout: 30_000 } },
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'cluster-lab',
          // The one of them that `npm test` has; what the machine lacks for it is in the name of what is skipped.
          include: ['tests/cluster/lab.test.ts'],
          sequence: { groupOrder: 7 },
          maxWorkers: 1,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: 'fuzz',
          include: ['tests/fuzz/**/*.test.ts'],
          sequence: { groupOrder: 5 },
          maxWorkers: 1,
          testTimeout: 1_800_000,
        },
      },
      {
        test: {
          name: 'chaos',
          include: ['tests/chaos/**/*.test.ts'],
          sequence: { groupOrder: 4 },
          maxWorkers: 1,
          testTimeout: 2_700_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
