import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { readPulse } from '../../../../regions/flink/flink-rest-pulse.ts';

const job = JSON.parse(readFileSync(join(import.meta.dirname, '../../../../fixtures/flink-rest/job.json'), 'utf8'));

const asking =
  (metrics: unknown, details: unknown = job) =>
  async <T>(_what: string, path: string, answer: z.ZodType<T>): Promise<T> =>
    answer.parse(path.endsWith('?get=numRestarts') ? metrics : details);

test('a pulse is read from what a real Flink answers', async () => {
  const pulse = await readPulse(asking([{ id: 'numRestarts', value: '3' }]), 'j');
  expect(pulse.restarts).toBe(3);
  expect(pulse.heldUpMs).toHaveLength(job.vertices.length);
  expect(pulse.heldUpMs.every((ms) => Number.isFinite(ms) && ms >= 0)).toBe(true);
});

test('what Flink does not tell is left out', async () => {
  const bare = {
    vertices: [
      { parallelism: 2, metrics: null },
      { parallelism: 4, metrics: { 'accumulated-backpressured-time': 400 } },
    ],
  };
  expect(await readPulse(asking([], bare), 'j')).toEqual({ heldUpMs: [0, 100] });
});
