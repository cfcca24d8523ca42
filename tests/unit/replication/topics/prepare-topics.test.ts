import { describe, expect, test } from 'vitest';
import { judgeTopics, standbyConfigs, type TopicView } from '../../../../replication/topics/prepare-topics.ts';

function view(overrides: Partial<TopicView> & { standby?: ReadonlyMap<string, string> } = {}): TopicView {
  return {
    name: 'events',
    sourcePartitions: 4,
    standbyPartitions: 4,
    source: new Map(),
    standby: new Map(),
    ...overrides,
  };
}
const judge = (...views: TopicView[]) => judgeTopics('a', 'b', views);

describe('the standby`s topics', () => {
  test('are created where they are missing, with as many partitions', () => {
    const { missing, partitions, refused } = judge(
      view({ standbyPartitions: undefined }),
      view({ name: 'clicks', sourcePartitions: 2, standbyPartitions: 2 }),
    );
    expect(missing.map((t) => [t.name, t.partitions])).toEqual([['events', 4]]);
    expect(partitions).toHaveLength(6);
    expect(refused).toEqual([]);
  });

  test.each([
    ['more', 6, /delete "events"/, 4],
    ['fewer', 3, /add partitions to "events" in b until it has 4/, 3],
  ])(
    'with %s partitions than the source are an error of the configuration; what both have is mirrored',
    (_n, count, hint, mirrored) => {
      const { refused, partitions } = judge(view({ standbyPartitions: count }));
      expect(refused).toMatchObject([{ code: 'PartitionCountDiffers', exitCode: 2 }]);
      expect(refused[0]?.message).toBe(`topic "events" has 4 partitions in a and ${count} in b`);
      expect(refused[0]?.hint).toMatch(hint);
      expect(partitions).toHaveLength(mirrored);
    },
  );

  test('of a topic that the source has lost are told, and wait for it; the others are mirrored', () => {
    const { refused, partitions, missing } = judge(
      view({ sourcePartitions: undefined }),
      view({ name: 'never', sourcePartitions: undefined, standbyPartitions: undefined }),
      view({ name: 'clicks', sourcePartitions: 1, standbyPartitions: 1 }),
    );
    expect(refused.map((r) => [r.code, r.exitCode])).toEqual([
      ['TopicMissing', 2],
      ['TopicMissing', 2],
    ]);
    expect(partitions.map((p) => p.topic)).toEqual(['events', 'events', 'events', 'events', 'clicks']);
    expect(missing).toEqual([]);
  });

  test('take over size and retention, and keep batches as they come', () => {
    const source = new Map([
      ['retention.ms', '3600000'],
      ['retention.bytes', '-1'],
      ['max.message.bytes', '2000000'],
      ['cleanup.policy', 'delete'],
      ['compression.type', 'gzip'],
      ['segment.bytes', '1000000'],
      ['message.timestamp.type', 'CreateTime'],
    ]);
    expect(standbyConfigs(source)).toEqual({
      'retention.ms': '3600000',
      'retention.bytes': '-1',
      'max.message.bytes': '2000000',
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'message.timestamp.type': 'CreateTime',
      'message.timestamp.before.max.ms': '9223372036854775807',
      'message.timestamp.after.max.ms': '9223372036854775807',
    });
  });

  test.each([
    [
      'a source that stamps on append',
      { source: new Map([['message.timestamp.type', 'LogAppendTime']]) },
      /in a stamps/,
    ],
    [
      'a standby that stamps on append',
      { standby: new Map([['message.timestamp.type', 'LogAppendTime']]) },
      /in b stamps/,
    ],
    ['a standby that compresses anew', { standby: new Map([['compression.type', 'gzip']]) }, /compression.type=gzip/],
  ])('are refused under %s, and no other topic with them', (_what, configs, message) => {
    const { refused, partitions, missing } = judge(view(configs), view({ name: 'clicks' }));
    expect(refused).toMatchObject([
      { code: 'TopicNotMirrorable', exitCode: 2, message: expect.stringMatching(message) },
    ]);
    expect(new Set(partitions.map((p) => p.topic))).toEqual(new Set(['clicks']));
    expect(missing).toEqual([]);
  });

  test.each([
    ['message.timestamp.before.max.ms', undefined, '3600000', /refuses old records/],
    ['cleanup.policy', 'delete', 'compact', /cleans up otherwise/],
    ['retention.ms', '-1', '3600000', /keeps less/],
    ['retention.bytes', '2000', '1000', /keeps less/],
  ])('whose %s will do harm later are warned of', (key, here, there, text) => {
    const source = new Map(here === undefined ? [] : [[key, here] as const]);
    const views = [view({ source, standby: new Map([[key, there]]) })];
    const { warnings, refused } = judgeTopics('a', 'b', views, []);
    expect(warnings).toEqual([expect.stringMatching(text)]);
    expect(refused).toEqual([]);
  });

  test('that would refuse larger batches have their limit raised, or are refused where nobody does', () => {
    const sizes = (bytes: string) => new Map([['max.message.bytes', bytes]]);
    const smaller = view({ source: sizes('2000000'), standby: sizes('1000000') });
    expect(judge(smaller)).toMatchObject({
      raise: [{ topic: 'events', configs: { 'max.message.bytes': '2000000' } }],
      refused: [],
    });
    expect(judge(view({ source: sizes('1000000'), standby: sizes('2000000') })).raise).toEqual([]);
    expect(judgeTopics('a', 'b', [smaller], ['retention.ms'])).toMatchObject({
      raise: [],
      partitions: [],
      refused: [
        {
          code: 'BatchesTooLarge',
          exitCode: 2,
          message: expect.stringMatching(/1000000 bytes, the source's of 2000000/),
        },
      ],
    });
  });

  test('that keep more than the source are no matter', () => {
    const source = new Map([['retention.ms', '1000']]);
    const keepsMore = view({ source, standby: new Map([['retention.ms', '-1']]) });
    expect(judgeTopics('a', 'b', [keepsMore], []).warnings).toEqual([]);
  });
});
