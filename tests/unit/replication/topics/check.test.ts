import { describe, expect, test } from 'vitest';
import {
  type CheckedPartition,
  type CheckedTopic,
  type CheckSettings,
  judgeTopic,
} from '../../../../replication/topics/check.ts';

const hour = 3_600_000;
const settings: CheckSettings = {
  source: 'mumbai',
  standby: 'singapore',
  nowMs: 100 * hour,
  clusterRights: undefined,
};
const partition: CheckedPartition = {
  partition: 0,
  sourceStart: 0n,
  sourceEnd: 50n,
  standbyStart: 0n,
  standbyEnd: 40n,
  placeholders: false,
  foreign: undefined,
  cut: undefined,
  oldestTimestampMs: 40 * hour,
  newestTimestampMs: 100 * hour,
  transactional: false,
  stop: undefined,
};
const empty = { sourceStart: 7n, standbyStart: 0n, standbyEnd: 0n };
const configs = (extra: Record<string, string> = {}) =>
  new Map(Object.entries({ 'cleanup.policy': 'delete', 'max.message.bytes': '1000', ...extra }));

interface Changes {
  readonly log?: Partial<CheckedPartition>;
  readonly source?: Record<string, string>;
  readonly standby?: Record<string, string>;
  readonly partitions?: readonly [number | undefined, number | undefined];
  readonly rights?: readonly [CheckedTopic['source']['rights'], CheckedTopic['standby']['rights']];
}

function topicOf({ log = {}, source, standby, partitions = [1, 1], rights }: Changes): CheckedTopic {
  const [here, there] = partitions;
  return {
    view: {
      name: 'events',
      sourcePartitions: here,
      standbyPartitions: there,
      source: configs(source),
      standby: there === undefined ? new Map() : configs(standby),
    },
    source: { topicId: 'a', rights: rights?.[0] },
    standby: { topicId: 'b', rights: rights?.[1] },
    partitions: here === undefined ? [] : [{ ...partition, ...log }],
  };
}

const verdictOf = (changes: Changes) => judgeTopic(settings, topicOf(changes));

describe('a topic', () => {
  test.each<[string, Changes, 'mirrored' | 'needs-alignment']>([
    ['as it should be', {}, 'mirrored'],
    ['that the standby lacks', { partitions: [1, undefined], log: { standbyEnd: 0n } }, 'mirrored'],
    ['whose log begins above 0', { log: empty }, 'needs-alignment'],
    [
      'whose alignment was left on the way',
      { log: { sourceStart: 9n, standbyEnd: 4n, placeholders: true } },
      'needs-alignment',
    ],
    [
      'whose log begins inside a batch',
      { log: { ...empty, cut: { baseOffset: 5n, transactional: false, whole: true } } },
      'needs-alignment',
    ],
    [
      'compacted and deleted, from above 0',
      { log: empty, source: { 'cleanup.policy': 'compact,delete' }, standby: { 'cleanup.policy': 'compact,delete' } },
      'needs-alignment',
    ],
    [
      'without timestamps, and a limit',
      { log: { oldestTimestampMs: -1 }, standby: { 'message.timestamp.before.max.ms': '1' } },
      'mirrored',
    ],
  ])('%s is %s', (_what, changes, verdict) => {
    expect(verdictOf(changes)).toMatchObject({ verdict, reasons: [], sourceTopicId: 'a', standbyTopicId: 'b' });
  });

  test.each<[string, Changes, string, RegExp]>([
    ['that is missing', { partitions: [undefined, undefined] }, 'TopicMissing', /does not exist in mumbai/],
    ['with more partitions there', { partitions: [1, 3] }, 'PartitionCountDiffers', /1 partitions in mumbai and 3/],
    [
      'that needs partitions nobody may add',
      { partitions: [3, 1], rights: [undefined, new Set(['DESCRIBE', 'READ', 'WRITE', 'DESCRIBE_CONFIGS'])] },
      'RightMissing',
      /lacks ALTER on topic "events" in singapore/,
    ],
    [
      'stamped on append',
      { source: { 'message.timestamp.type': 'LogAppendTime' } },
      'TopicNotMirrorable',
      /stamps records/,
    ],
    ['compressed anew', { standby: { 'compression.type': 'lz4' } }, 'TopicNotMirrorable', /compression.type=lz4/],
    [
      'with records too old for the standby',
      { standby: { 'message.timestamp.before.max.ms': `${hour}` } },
      'TimestampLimit',
      /older than 3600000 ms/,
    ],
    [
      'with records too new for the standby',
      {
        standby: { 'message.timestamp.difference.max.ms': '5' },
        log: { oldestTimestampMs: 100 * hour, newestTimestampMs: 101 * hour },
      },
      'TimestampLimit',
      /in the future/,
    ],
    [
      'with foreign records',
      { log: { foreign: { offset: 33n, what: 'other bytes' } } },
      'ForeignRecords',
      /events-0: from offset 33 on singapore/,
    ],
    ['that was truncated', { log: { sourceStart: 45n } }, 'SourceTruncated', /\[40, 45\)/],
    [
      'that compacts only, from above 0',
      { log: empty, standby: { 'cleanup.policy': 'compact' } },
      'AlignmentRefused',
      /only compacted/,
    ],
    [
      'that begins inside a transaction',
      { log: { ...empty, cut: { baseOffset: 5n, transactional: true, whole: true } } },
      'AlignmentRefused',
      /inside a batch of a transaction, from 5/,
    ],
    [
      'with placeholders below new records',
      { log: { standbyEnd: 9n, placeholders: true } },
      'Diverged',
      /placeholders up to 9/,
    ],
    [
      'that may not be seen',
      { partitions: [undefined, 1], rights: [new Set(), undefined] },
      'RightMissing',
      /lacks DESCRIBE, READ, DESCRIBE_CONFIGS on topic "events" in mumbai/,
    ],
    [
      'with a batch at which the mirror would stop',
      {
        log: {
          stop: { reason: 'ControlRecordUnknown', detail: 'the control record at 40 is no marker of a transaction' },
        },
      },
      'ControlRecordUnknown',
      /events-0: the control record at 40/,
    ],
    [
      'that may not be written',
      { rights: [undefined, new Set(['DESCRIBE', 'READ', 'DESCRIBE_CONFIGS'])] },
      'RightMissing',
      /lacks WRITE on topic "events" in singapore/,
    ],
    [
      'to align without the right to delete',
      { log: empty, rights: [undefined, new Set(['DESCRIBE', 'READ', 'WRITE', 'DESCRIBE_CONFIGS'])] },
      'RightMissing',
      /lacks DELETE/,
    ],
  ])('%s is refused as %s', (_what, changes, code, message) => {
    const { verdict, reasons } = verdictOf(changes);
    expect(verdict).toBe('refused');
    expect(reasons).toEqual([
      { code, message: expect.stringMatching(message), alternative: expect.stringMatching(/\S/) },
    ]);
  });

  test('that the mirror makes, adds to or sets comes with a note, and is mirrored', () => {
    const notesOf = (changes: Changes) => {
      const { verdict, reasons, notes } = verdictOf(changes);
      expect({ verdict, reasons }).toEqual({ verdict: 'mirrored', reasons: [] });
      return notes;
    };
    expect(notesOf({})).toEqual([]);
    expect(notesOf({ partitions: [2, undefined], log: { standbyEnd: 0n } })).toEqual([
      'the mirror makes "events" in singapore, with 2 partitions',
    ]);
    expect(notesOf({ partitions: [3, 1], standby: { 'max.message.bytes': '900' } })).toEqual([
      'the mirror adds partitions to "events" in singapore: 1 now, then 3',
      'the mirror sets max.message.bytes=1000 on "events" in singapore',
    ]);
  });

  test('whose configuration may not be carried over is told of', () => {
    const rights = new Set(['DESCRIBE', 'READ', 'WRITE', 'DESCRIBE_CONFIGS'] as const);
    const { verdict, warnings } = verdictOf({ standby: { 'cleanup.policy': 'compact' }, rights: [undefined, rights] });
    expect(verdict).toBe('mirrored');
    expect(warnings).toEqual([expect.stringMatching(/can't set cleanup.policy=delete .* lacks ALTER_CONFIGS/)]);
  });

  test('for which the standby takes less, and nobody raises it, is refused', () => {
    const topic = topicOf({ standby: { 'max.message.bytes': '900' } });
    expect(judgeTopic({ ...settings, followed: ['retention.ms'] }, topic)).toMatchObject({
      verdict: 'refused',
      reasons: [{ code: 'BatchesTooLarge', message: expect.stringMatching(/900 bytes, the source's of 1000/) }],
    });
  });

  test.each([
    [
      'where the standby allows too short ones, is warned of',
      true,
      900_000,
      [/transaction\.max\.timeout\.ms is 900000/],
    ],
    ['where it allows an hour, is as any other', true, hour, []],
    ['where nobody may say what it allows, is as any other', true, undefined, []],
    ['of which there are none, is as any other', false, 900_000, []],
  ] as const)('with transactions, %s', (_name, transactional, transactionLimitMs, warnings) => {
    const verdict = judgeTopic({ ...settings, transactionLimitMs }, topicOf({ log: { transactional } }));
    expect(verdict.verdict).toBe('mirrored');
    expect(verdict.warnings).toEqual(warnings.map((text) => expect.stringMatching(text)));
  });

  test('whose clock is ahead is told of, and does no harm', () => {
    const { verdict, warnings } = verdictOf({ log: { newestTimestampMs: 101 * hour } });
    expect(verdict).toBe('mirrored');
    expect(warnings).toEqual([expect.stringMatching(/3600 s ahead/)]);
  });
});
