import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { planTopics, standbyConfigs } from '../../../../replication/topics/prepare-topics.ts';

function topics(counts: Record<string, number>) {
  return new Map(
    Object.entries(counts).map(([name, partitions]) => [name, { name, topicId: `id-${name}`, partitions }]),
  );
}

function thrownBy(run: () => unknown): ArgusError {
  try {
    run();
  } catch (error) {
    if (error instanceof ArgusError) return error;
  }
  throw new Error('no ArgusError was thrown');
}

describe('the standby`s topics', () => {
  test('are created where they are missing, with as many partitions', () => {
    const missing = planTopics('a', 'b', ['events', 'clicks'], topics({ events: 4, clicks: 2 }), topics({ clicks: 2 }));
    expect(missing.map((t) => [t.name, t.partitions])).toEqual([['events', 4]]);
  });

  test.each([
    ['more', 6, /delete "events"/],
    ['fewer', 3, /add partitions to "events" in b until it has 4/],
  ])('with %s partitions than the source are an error of the configuration that says what to do', (_n, count, hint) => {
    const error = thrownBy(() => planTopics('a', 'b', ['events'], topics({ events: 4 }), topics({ events: count })));
    expect(error).toMatchObject({ code: 'PartitionCountDiffers', exitCode: 2 });
    expect(error.message).toBe(`topic "events" has 4 partitions in a and ${count} in b`);
    expect(error.hint).toMatch(hint);
  });

  test('of a topic that the source lacks are an error of the configuration', () => {
    const error = thrownBy(() => planTopics('a', 'b', ['events'], topics({}), topics({})));
    expect(error).toMatchObject({ code: 'TopicMissing', exitCode: 2 });
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
    expect(standbyConfigs('a', 'events', source)).toEqual({
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

  test('of a source that stamps on append are refused', () => {
    const stamped = new Map([['message.timestamp.type', 'LogAppendTime']]);
    const error = thrownBy(() => standbyConfigs('a', 'events', stamped));
    expect(error).toMatchObject({ code: 'TopicNotMirrorable', exitCode: 2 });
  });
});
