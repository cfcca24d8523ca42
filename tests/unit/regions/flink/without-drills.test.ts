import { expect, test } from 'vitest';
import { bubbleOf } from '../../../../domain/bubble.ts';
import type { FlinkJobs } from '../../../../regions/flink/flink-jobs.ts';
import { withoutDrills } from '../../../../regions/flink/without-drills.ts';

const bubble = bubbleOf('20261122T033000Z-drill-ab12');
const job = (id: string) => ({ id, name: 'counts', state: 'RUNNING', startedAtMs: 1 });

test('lists the jobs of production and none of a drill, and asks for everything else as it is', async () => {
  const asked: string[] = [];
  const flink = withoutDrills({
    list: async () => [job(bubble.flinkJobId(0)), job('0'.repeat(32)), job(bubble.flinkJobId(1))],
    cancel: async (id: string) => void asked.push(id),
  } as Partial<FlinkJobs> as FlinkJobs);
  expect(await flink.list()).toEqual([job('0'.repeat(32))]);
  await flink.cancel(bubble.flinkJobId(0));
  expect(asked).toEqual([bubble.flinkJobId(0)]);
});
