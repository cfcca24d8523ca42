import { expect, test } from 'vitest';
import { flinkConfig } from '../../../../lab/components/flink.ts';
import { serverProperties } from '../../../../lab/components/kafka.ts';
import { labRules } from '../../../../lab/components/kafka-users.ts';
import type { RegionInfo } from '../../../../lab/lab-info.ts';
import { samplePlan } from '../sample-plan.ts';

const { mumbai } = samplePlan().regions;

const propertiesOf = (region: RegionInfo) =>
  new Map(
    serverProperties(region, '/data')
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/, 2) as [string, string]),
  );

test("a broker tells clients of the other region the link's address, and the auditor its own", () => {
  const lines = propertiesOf(mumbai);
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

test('a broker lets nobody in without a login but the lab itself, and nobody do what no rule allows', () => {
  const lines = propertiesOf(mumbai);
  expect(lines.get('listener.security.protocol.map')).toBe(
    'INSIDE:SASL_PLAINTEXT,FROM_SINGAPORE:SASL_PLAINTEXT,AUDITOR:PLAINTEXT,CONTROLLER:PLAINTEXT',
  );
  expect(lines.get('inter.broker.listener.name')).toBe('AUDITOR');
  expect(lines.get('authorizer.class.name')).toMatch(/StandardAuthorizer$/);
  expect(lines.get('super.users')).toBe('User:ANONYMOUS');
  const { users: _, ...kafka } = mumbai.kafka;
  const open = propertiesOf({ ...mumbai, kafka });
  expect(open.get('authorizer.class.name')).toBeUndefined();
  expect(open.get('listener.security.protocol.map')).not.toContain('SASL');
});

test('the ingest may write on the primary only, the job and Argus have their rights on both sides', () => {
  const writers = (role: 'primary' | 'standby') =>
    labRules(role)
      .filter((r) => r.resourceName === 'events' && r.operation === 'WRITE')
      .map((r) => r.principal);
  expect(writers('primary')).toEqual(['User:argus', 'User:ingest']);
  expect(writers('standby')).toEqual(['User:argus']);
  expect(labRules('standby').filter((r) => r.principal === 'User:job')).toEqual(
    labRules('primary').filter((r) => r.principal === 'User:job'),
  );
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
