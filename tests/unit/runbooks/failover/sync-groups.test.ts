import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import type { GroupCommit, KafkaAdmin } from '../../../../regions/kafka/kafka-admin.ts';
import type { Region } from '../../../../regions/region.ts';
import { joinReplication } from '../../../../runbooks/failover/join-replication.ts';
import { confirming, failOver, started } from './fail-over.ts';
import { at } from './world.ts';

/** A region's groups: what each has committed for `events-0`; undefined: it is dark. */
function region(name: string, groups: Map<string, bigint> | undefined): Region {
  const dark = () => Promise.reject(new ArgusError('KafkaUnreachable', 'no answer', { retryable: true }));
  const commitOf = (offset: bigint): GroupCommit => ({ topic: 'events', partition: 0, offset, metadata: '' });
  const kafka: Partial<KafkaAdmin> = {
    listGroups: () => (groups ? Promise.resolve([...groups.keys()]) : dark()),
    groupCommits: (asked) =>
      groups
        ? Promise.resolve(new Map(asked.map((g) => [g, groups.has(g) ? [commitOf(groups.get(g)!)] : []])))
        : dark(),
    async commitGroups(commits) {
      for (const [group, [commit]] of commits) if (commit) groups?.set(group, commit.offset);
      return new Map();
    },
  };
  return { name, kafka, brokers: { name, bootstrap: [] } } as unknown as Region;
}

const patterns = { include: ['shop-*'], exclude: ['shop-test'] };
const signal = new AbortController().signal;

describe('groups that are followed by name', () => {
  test('are copied a last time, but for the jobs` own and those that are left out', async () => {
    const there = new Map([['shop-a', 1n]]);
    const primary = region(
      'mumbai',
      new Map([
        ['shop-a', 90n],
        ['shop-b', 300n],
        ['shop-test', 7n],
        ['counts', 9n],
      ]),
    );
    const { syncOtherGroups } = joinReplication(primary, region('singapore', there), ['events'], { groups: patterns });
    expect(await syncOtherGroups?.(['counts'], at(100n), signal)).toEqual([
      { group: 'shop-a', source: 'primary', offsets: at(90n) },
      // It had read what the standby never got.
      { group: 'shop-b', source: 'primary', offsets: at(100n), clamped: 1 },
    ]);
    expect([...there]).toEqual([
      ['shop-a', 90n],
      ['shop-b', 100n],
    ]);
  });

  test('are told as they were copied last while the primary is dark', async () => {
    const standby = region('singapore', new Map([['shop-a', 40n]]));
    const { syncOtherGroups } = joinReplication(region('mumbai', undefined), standby, ['events'], { groups: patterns });
    expect(await syncOtherGroups?.([], at(100n), signal)).toEqual([
      { group: 'shop-a', source: 'last-copy', because: 'no answer', offsets: at(40n) },
    ]);
  });

  test('stand in the report, with what their clients read twice at most', async () => {
    const world = await started();
    const context = {
      ...confirming(world),
      syncOtherGroups: async () => [{ group: 'shop-a', source: 'primary' as const, offsets: at(90n, 50n) }],
    };
    const { groups } = await failOver(world, context);
    expect(groups).toMatchObject([{ group: 'counts' }, { group: 'shop-a', rereadAtMost: 10 }]);
  });
});
