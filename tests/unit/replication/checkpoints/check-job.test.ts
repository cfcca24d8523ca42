import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import type { FlinkJobs } from '../../../../regions/flink/flink-jobs.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { judgeJob } from '../../../../replication/checkpoints/check.ts';
import { describeContents } from '../../../../replication/checkpoints/check-contents.ts';
import { gatherJob } from '../../../../replication/checkpoints/check-job.ts';
import { FULL, putFullSample } from '../../../support/checkpoint-bucket.ts';
import { flinkSample, SAMPLE_BUCKET } from '../../../support/flink-samples.ts';
import { knownFlink } from './checked-sample.ts';

const nothing = { offsets: [], transactions: [], sources: new Set<string>(), committers: new Set<string>() };
const noDetails = { enumerators: [], writers: [], untold: [] };
const bucketUri = `s3://${SAMPLE_BUCKET}`;

describe('what a checkpoint of real Flink is made of', () => {
  const plain = { changelog: false, fileMerging: false, unaligned: false, absolute: false, outside: 0 };
  test.each([
    ['v4-flink120', { ...plain, absolute: true }],
    ['v6-p2-busy', { ...plain, absolute: true }],
    ['v6-full-nonincremental', plain],
    ['v6-hashmap', plain],
    ['v6-filemerging', { ...plain, absolute: true, fileMerging: true }],
    ['v6-unaligned', { ...plain, absolute: true, unaligned: true }],
    ['v6-changelog-fs', { ...plain, absolute: true, changelog: true }],
    ['v6-changelog-fs-pending', { ...plain, absolute: true, changelog: true }],
    ['savepoint-CANONICAL', plain],
    ['savepoint-NATIVE', plain],
  ])('%s', (name, expected) => {
    const sample = flinkSample(name);
    const at = { directoryUri: `${bucketUri}/${sample.directory}`, bucketUri, completedAtMs: 1 };
    const c = describeContents(readMetadata(sample.bytes), at, nothing, noDetails);
    expect({
      changelog: c.changelog,
      fileMerging: c.fileMerging,
      unaligned: c.unaligned,
      absolute: c.absoluteFiles > 0,
      outside: c.outside.length,
    }).toEqual(expected);
  });

  test('in another bucket every file named by its whole URI is outside', () => {
    const sample = flinkSample('v6-full');
    const at = { directoryUri: `s3://other/${sample.directory}`, bucketUri: 's3://other', completedAtMs: 1 };
    const c = describeContents(readMetadata(sample.bytes), at, nothing, noDetails);
    expect(c.outside.length).toBe(c.absoluteFiles);
    expect(c.outside[0]).toContain(`${bucketUri}/`);
  });
});

describe('a look at a job', () => {
  const brokers = { name: 'nobody', bootstrap: ['127.0.0.1:1'] };
  const silent = async (): Promise<never> => {
    throw new ArgusError('FlinkUnreachable', 'Flink did not answer', { retryable: true });
  };
  const dark: Pick<FlinkJobs, 'list' | 'checkpoints' | 'settings'> = {
    list: silent,
    checkpoints: silent,
    settings: silent,
  };
  const running = (newest: string): typeof dark => ({
    list: async () => [{ id: FULL.flinkJobId, name: 'counts', state: 'RUNNING', startedAtMs: 1 }],
    checkpoints: async () => ({
      completedCount: 1,
      failedCount: 0,
      latestCompleted: { id: 4, path: newest, completedAtMs: 1 },
    }),
    settings: async () => ({ ...knownFlink().settings, operators: [] }),
  });
  const look = async (objects: ReturnType<typeof store>, flink = dark, prefix = 'checkpoints') =>
    gatherJob({
      job: 'counts',
      prefix,
      primary: { brokers, objects, flink },
      standby: { brokers, objects: { uri: 's3://replica' } },
      rpoMs: 60_000,
      nowMs: Date.now(),
      signal: new AbortController().signal,
    });
  const store = () => Object.assign(memoryObjectStore('primary'), { uri: bucketUri });

  test('reads the newest checkpoint, its offsets and transactions, also with Flink and Kafka silent', async () => {
    const objects = store();
    await putFullSample(objects);
    const seen = await look(objects);
    expect(seen.flink).toMatchObject({ kind: 'silent' });
    expect(seen.checkpoint).toMatchObject({
      kind: 'read',
      contents: { checkpointId: 4, kafkaSources: 1, kafkaOperators: expect.arrayContaining(['Source: orders-source']) },
    });
    expect(seen.transactions).toEqual({ timeoutMs: undefined, primaryLimitMs: undefined, standbyLimitMs: undefined });
    expect(judgeJob(seen)).toMatchObject({ verdict: 'restorable-with-warnings', reasons: [] });
  });

  test('an idle exactly-once sink is told from one outside Kafka by its writers', async () => {
    const objects = store();
    const sample = flinkSample('v6-inline-idle');
    await objects.put(`${sample.directory}/_metadata`, sample.bytes);
    const seen = await look(objects);
    expect(seen.checkpoint).toMatchObject({ kind: 'read', contents: { transactions: [], kafkaSinks: 1, unheld: [] } });
    expect(judgeJob(seen).warnings.map(({ code }) => code)).not.toContain('SinkNotVerifiable');
  });

  test('names version and position of a file that it does not know', async () => {
    const objects = store();
    await putFullSample(objects);
    const bytes = Buffer.from(flinkSample('v6-full').bytes);
    bytes.writeInt32BE(7, 4);
    await objects.put(`${flinkSample('v6-full').directory}/_metadata`, bytes);
    expect(judgeJob(await look(objects)).reasons).toMatchObject([
      { code: 'CheckpointMetadataInvalid', message: expect.stringMatching(/version 7 is not known.*byte 4/) },
    ]);
  });

  test('names a file of state that is missing', async () => {
    const objects = store();
    const sample = flinkSample('v6-p2-busy');
    await objects.put(`${sample.directory}/_metadata`, sample.bytes);
    expect(judgeJob(await look(objects)).reasons).toMatchObject([{ code: 'FileMissingAtSource' }]);
  });

  test('says where Flink writes when that is not under the prefix', async () => {
    const objects = store();
    await putFullSample(objects);
    const seen = await look(objects, running(`${bucketUri}/checkpoints/x/chk-4`), 'wrong');
    expect(judgeJob(seen).reasons).toMatchObject([
      { code: 'CheckpointElsewhere', message: expect.stringContaining('checkpoints/x/chk-4') },
    ]);
  });

  test('an empty bucket has no checkpoint', async () => {
    expect(judgeJob(await look(store())).reasons.map((r) => r.code)).toEqual(['NoCheckpoint']);
  });
});
