import { describe, expect, test } from 'vitest';
import { type BubbleKind, drillOf } from '../../../../domain/bubble.ts';
import { runIsolatedDrill } from '../../../../drills/isolated/run-isolated-drill.ts';
import { listDrillNotes } from '../../../../state/drill-notes.ts';
import { dieAndResume, enumerateDeaths, type Story } from '../../../support/crash-everywhere.ts';
import { type DrillWorld, drillWorld, leftIn, nothingLeft } from './world.ts';

/** A drill as its command makes it; one that was killed is followed by another. */
const story: Story<DrillWorld> = {
  begin: async () => drillWorld(),
  async attempt(world, process, n) {
    const { context, sites, ...rest } = world.options(n);
    const site = sites.get('singapore')!;
    const mortal = {
      ...site,
      kafka: process.port('kafka', site.kafka),
      objects: process.port('objects', site.objects),
      flink: process.port('flink', site.flink),
    };
    const start = () =>
      runIsolatedDrill({
        ...rest,
        context: { ...context, state: process.port('state', world.state) },
        sites: new Map([['singapore', mortal]]),
        processes: process.processes,
      });
    // The dead process' last request may come as a sign of life: the operator repeats the command.
    const { report } = await start().catch((error) => (error.code === 'LeaseHeld' ? start() : Promise.reject(error)));
    if (!process.dead) expect(report).toMatchObject({ outcome: 'passed', leaks: [] });
    return report;
  },
  endState: async (world) => ({
    left: await leftIn(world),
    notes: await listDrillNotes(world.state),
    topics: [...world.topics],
    groups: [...world.groups],
    quotas: [...world.quotas],
  }),
  effects: (world) => world.changes.filter(([what]) => what === 'job+').map((change) => change.join(' ')),
  async invariants(world) {
    expect(outsideOf(world)).toEqual([]);
  },
};

const kinds: Readonly<Record<string, BubbleKind>> = {
  topic: 'topic',
  group: 'group',
  object: 'object',
  job: 'flinkJob',
};

/** Changes of anything that has no name of a drill. */
function outsideOf({ changes }: DrillWorld) {
  return changes.filter(([what, name]) => {
    const kind = kinds[what.slice(0, -1)];
    return kind === undefined ? name !== 'User:drill' : drillOf(kind, name) === undefined;
  });
}

const { deaths, undisturbed } = await enumerateDeaths(story);

describe('an isolated drill', () => {
  test('leaves a region as it was', () => {
    expect(deaths.length).toBeGreaterThan(80);
    expect(undisturbed).toEqual({
      left: nothingLeft,
      notes: [],
      topics: [
        ['events', 1],
        ['metrics', 2],
      ],
      groups: ['counts'],
      quotas: [['consumer_byte_rate', 5]],
    });
  });

  test.each(deaths)('killed at $name: the next one removes what it left', (death) =>
    dieAndResume(story, death, undisturbed),
  );
});
