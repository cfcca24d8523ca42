import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import {
  type MirrorMakerSight,
  mirrorMakerHealth,
  type PartitionSight,
} from '../../../../replication/mirrormaker/health.ts';
import { readHeartbeat, readSync } from '../../../../replication/mirrormaker/sync-records.ts';

const running = { state: 'RUNNING', worker: '127.0.0.1:8083' };
const events = (more: Partial<PartitionSight> = {}): PartitionSight => ({
  topic: 'events',
  partition: 0,
  sourceEnd: 100n,
  newest: { upstream: 99n, atMs: 1_000 },
  missing: 0n,
  ...more,
});
const sight = (more: Partial<MirrorMakerSight> = {}): MirrorMakerSight => ({
  connectors: [{ name: 'a-source', status: { connector: running, tasks: [{ id: 0, ...running }] } }],
  partitions: [events()],
  heartbeat: { sourceAlias: 'mumbai', targetAlias: 'singapore', atMs: 99_000 },
  nowMs: 100_000,
  stalledAfterMs: 30_000,
  ...more,
});

describe('the health of MirrorMaker 2', () => {
  const failed = { id: 1, ...running, state: 'FAILED', failure: 'org.example.Broken: why' };
  const cases: [string, Partial<MirrorMakerSight>, string[]][] = [
    ['is well when all is copied, however long nothing came', {}, []],
    [
      'is well while it is behind and syncs come',
      { partitions: [events({ missing: 5n, newest: { upstream: 94n, atMs: 90_000 } })] },
      [],
    ],
    ['tells records that wait without a sync', { partitions: [events({ missing: 5n })] }, ['NoSync']],
    [
      'tells a partition that was never copied',
      { partitions: [events({ newest: undefined, missing: undefined })] },
      ['NeverSynced'],
    ],
    [
      'does not miss a sync of an empty partition',
      { partitions: [events({ newest: undefined, missing: undefined, sourceEnd: 0n })] },
      [],
    ],
    ['tells a heart that stands still', { heartbeat: undefined }, ['NoHeartbeat']],
    [
      'tells a connector that is not there',
      { connectors: [{ name: 'a-source', status: undefined }] },
      ['ConnectorMissing'],
    ],
    [
      'tells a failed task',
      { connectors: [{ name: 'a-source', status: { connector: running, tasks: [failed] } }] },
      ['ConnectorFailed'],
    ],
    [
      'tells a connector without tasks',
      { connectors: [{ name: 'a-source', status: { connector: running, tasks: [] } }] },
      ['ConnectorNotRunning'],
    ],
    [
      'takes no group for no fault',
      { connectors: [{ name: 'a-checkpoint', status: { connector: running, tasks: [] } }] },
      [],
    ],
  ];
  test.each(cases)('%s', (_, more, codes) => {
    const health = mirrorMakerHealth(sight(more));
    expect(health.problems.map((p) => p.code)).toEqual(codes);
    expect(health.healthy).toBe(codes.length === 0);
  });

  test('gives an upper bound where the records behind the newest sync could not be counted', () => {
    const lag = mirrorMakerHealth(sight({ partitions: [events({ sourceEnd: 110n, missing: undefined })] })).lags[0];
    expect(lag).toMatchObject({ lagRecords: 10n, exact: false, lagMs: 99_000 });
  });
});

describe('the records of MirrorMaker 2', () => {
  /** Key and value as a record has them: zigzag lengths, here below 64. */
  const body = (key: Buffer, value: Buffer | null) =>
    Buffer.concat([
      Buffer.of(key.length * 2),
      key,
      value ? Buffer.concat([Buffer.of(value.length * 2), value]) : Buffer.of(1),
      Buffer.of(0),
    ]);
  const text = (value: string) => Buffer.concat([Buffer.of(0, value.length), Buffer.from(value)]);

  test('tell a sync', () => {
    const key = Buffer.concat([text('events'), Buffer.of(0, 0, 0, 3)]);
    const value = Buffer.alloc(16);
    value.writeBigInt64BE(7n, 0);
    value.writeBigInt64BE(5n, 8);
    expect(readSync(body(key, value))).toEqual({ topic: 'events', partition: 3, upstream: 7n, downstream: 5n });
    expect(readSync(body(key, null))).toBeUndefined();
    expect(() => readSync(body(key, value.subarray(0, 9)))).toThrowError(
      expect.objectContaining({ code: 'KafkaMalformed' }),
    );
    expect(() => readSync(Buffer.of(60))).toThrowError(expect.objectContaining({ code: 'KafkaMalformed' }));
  });

  test('tell a heartbeat, of the version that is known', () => {
    const key = Buffer.concat([text('mumbai'), text('singapore')]);
    const value = Buffer.alloc(10);
    value.writeBigInt64BE(1_700_000_000_000n, 2);
    expect(readHeartbeat(body(key, value))).toEqual({
      sourceAlias: 'mumbai',
      targetAlias: 'singapore',
      atMs: 1_700_000_000_000,
    });
    value.writeInt16BE(1, 0);
    expect(readHeartbeat(body(key, value))).toBeUndefined();
  });

  test('are refused by one error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const read of [readSync, readHeartbeat]) {
          try {
            read(Buffer.from(bytes));
          } catch (error) {
            expect(error).toBeInstanceOf(ArgusError);
          }
        }
      }),
    );
  });
});
