import { expect, test } from 'vitest';
import { flinkConfig } from '../../../../lab/components/flink.ts';
import { serverProperties } from '../../../../lab/components/kafka.ts';
import { samplePlan } from '../sample-plan.ts';

const { mumbai } = samplePlan().regions;

test("a broker tells clients of the other region the link's address, and the auditor its own", () => {
  const lines = new Map(
    serverProperties(mumbai, '/data')
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/, 2) as [string, string]),
  );
  expect(lines.get('listeners')?.split(',')).toEqual([
    `INSIDE://${mumbai.kafka.inside}`,
    `FROM_SINGAPORE://${mumbai.kafka.remoteListener.singapore}`,
    `AUDITOR://${mumbai.kafka.auditor}`,
    `CONTROLLER://${mumbai.kafka.controller}`,
  ]);
  expect(lines.get('advertised.listeners')?.split(',')).toEqual([
    `INSIDE://${mumbai.kafka.inside}`,
    `FROM_SINGAPORE://${mumbai.kafka.remote.singapore}`,
    `AUDITOR://${mumbai.kafka.auditor}`,
  ]);
});

test("Flink keeps its checkpoints in the region's own store, in many small files, and keeps S3A's markers", () => {
  const config = flinkConfig(mumbai, '/flink');
  for (const line of [
    's3.directory.marker.retention: keep',
    'execution.checkpointing.dir: s3://argus-flink-checkpoints/checkpoints',
    'execution.checkpointing.data-inline-threshold: 1kb',
    'execution.checkpointing.externalized-checkpoint-retention: RETAIN_ON_CANCELLATION',
    `s3.endpoint: ${mumbai.objects.endpoint}`,
  ]) {
    expect(config).toContain(`${line}\n`);
  }
});

test("a lab's own settings of Flink win, and the changes of a changelog backend stay in the region's bucket", () => {
  const settings = { 'state.backend.type': 'hashmap', 'state.changelog.enabled': true };
  const lines = flinkConfig(mumbai, '/flink', settings).split('\n');
  expect(lines.filter((line) => line.startsWith('state.backend.type'))).toEqual(['state.backend.type: hashmap']);
  expect(lines).toContain('dstl.dfs.base-path: s3://argus-flink-checkpoints/checkpoints/changes');
});
