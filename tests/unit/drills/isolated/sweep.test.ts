import { describe, expect, test } from 'vitest';
import { bubbleOf } from '../../../../domain/bubble.ts';
import { ArgusError } from '../../../../domain/errors.ts';
import { sweepUnderLease } from '../../../../drills/isolated/run-sweep.ts';
import { type DrillNote, listDrillNotes, writeDrillNote } from '../../../../state/drill-notes.ts';
import { type DrillWorld, drillName, drillWorld, leftIn, nothingLeft } from './world.ts';

const dead = bubbleOf('20261101T090000Z-drill-dead');
const note: DrillNote = {
  run: dead.run,
  atMs: 1,
  by: 'me@here',
  region: 'singapore',
  jobs: [{ job: 'counts', flinkJobId: dead.flinkJobId(0), slots: 2 }],
  ownCluster: true,
  points: [],
};

/** What a dead drill has left. */
async function withRemains(world: DrillWorld): Promise<void> {
  world.topics.set(dead.topic('metrics'), 2);
  world.groups.add(dead.group('counts'));
  await world.site.objects.put(`${dead.checkpoints('counts')}/x/chk-8/_metadata`, new Uint8Array(1));
  const start = { jarPath: '', entryClass: '', args: [], parallelism: 1 };
  world.jobs.set(dead.flinkJobId(0), { start, state: 'RUNNING', looks: 0 });
}

const sweep = ({ state, clock, site }: DrillWorld, n = 1) =>
  sweepUnderLease({
    state,
    clock,
    run: drillName(n),
    by: 'me@here',
    region: 'singapore',
    sites: new Map([['singapore', site]]),
    signal: new AbortController().signal,
  });

describe('cleaning up after drills', () => {
  test('removes all that has the name of a dead one, its note last, and gives limits back', async () => {
    const world = drillWorld();
    await withRemains(world);
    world.quotas.set('producer_byte_rate', 9);
    await writeDrillNote(world.state, {
      ...note,
      quota: { principal: 'User:drill', before: { consumer_byte_rate: 5 } },
    });
    expect(await sweep(world)).toEqual({ removed: { [dead.run]: 4 }, left: [] });
    expect(await leftIn(world)).toEqual(nothingLeft);
    expect(await listDrillNotes(world.state)).toEqual([]);
    expect([...world.quotas]).toEqual([['consumer_byte_rate', 5]]);
    expect([...world.topics.keys()]).toEqual(['events', 'metrics']);
    expect([...world.groups]).toEqual(['counts']);
  });

  test('gives the limits back to whom the dead one had limited, also where the configuration names another by now', async () => {
    const world = drillWorld();
    await writeDrillNote(world.state, {
      ...note,
      quota: { principal: 'User:earlier', before: { producer_byte_rate: 7 } },
    });
    expect(await sweep(world)).toEqual({ removed: {}, left: [] });
    expect(world.changes).toEqual([['quota', 'User:earlier']]);
    expect([...world.quotas]).toEqual([['producer_byte_rate', 7]]);
    expect(await listDrillNotes(world.state)).toEqual([]);
  });

  test('ends the jobs before it removes what they write', async () => {
    const world = drillWorld();
    await withRemains(world);
    world.changes.length = 0;
    await sweep(world);
    expect(world.changes[0]).toEqual(['job-', dead.flinkJobId(0)]);
  });

  test('finds what has no note', async () => {
    const world = drillWorld();
    await withRemains(world);
    expect(await sweep(world)).toMatchObject({ removed: { [dead.run]: 4 } });
    expect(await leftIn(world)).toEqual(nothingLeft);
  });

  test('ends the job of a dead one that appears while it looks: its start was under way', async () => {
    const world = drillWorld();
    await writeDrillNote(world.state, note);
    const { list } = world.site.flink;
    const from = world.clock.monotonic();
    world.site.flink.list = async (call) => {
      const start = { jarPath: '', entryClass: '', args: [], parallelism: 1 };
      if (world.clock.monotonic() - from > 2_000 && world.jobs.size === 0)
        world.jobs.set(dead.flinkJobId(0), { start, state: 'RUNNING', looks: 0 });
      return list(call);
    };
    expect(await sweep(world)).toEqual({ removed: { [dead.run]: 1 }, left: [] });
    expect(await leftIn(world)).toEqual(nothingLeft);
  });

  test('removes the jar of a start that was cut off, and no other', async () => {
    const world = drillWorld();
    const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e_';
    const job = (bubble: typeof dead) => ({ id: `${uuid}${bubble.flinkJobId(0)}-c.jar`, jobId: bubble.flinkJobId(0) });
    const production = { id: `${uuid}${'a'.repeat(32)}-c.jar`, jobId: 'a'.repeat(32) };
    let there = [job(dead), production];
    world.site.flink.uploads = async () => there;
    world.site.flink.removeUpload = async (id) => {
      there = there.filter((each) => each.id !== id);
    };
    expect(await sweep(world)).toEqual({ removed: { [dead.run]: 1 }, left: [] });
    expect(there).toEqual([production]);
  });

  test('leaves the note of one in a region that it can not look at, and says so', async () => {
    const world = drillWorld();
    await writeDrillNote(world.state, { ...note, region: 'mumbai' });
    expect(await sweep(world)).toMatchObject({ left: [{ run: dead.run, region: 'mumbai' }] });
    expect(await listDrillNotes(world.state)).toHaveLength(1);
  });

  test('asks again what does not answer for a moment', async () => {
    const world = drillWorld();
    await withRemains(world);
    const { listGroups } = world.site.kafka;
    let looks = 0;
    world.site.kafka.listGroups = async (call) => {
      // The first look finds which drills there are.
      if ([2, 3].includes(++looks)) throw new ArgusError('KafkaUnreachable', 'no answer', { retryable: true });
      return listGroups(call);
    };
    expect(await sweep(world)).toEqual({ removed: { [dead.run]: 4 }, left: [] });
  });

  test.each(['JobMissing', 'KubernetesConflict', 'KubernetesObjectMissing'])(
    'looks again where a job went before it was ended: %s',
    async (code) => {
      const world = drillWorld();
      await withRemains(world);
      world.site.flink.cancel = async (id) => {
        world.jobs.delete(id);
        throw new ArgusError(code, 'gone meanwhile');
      };
      expect(await sweep(world)).toEqual({ removed: { [dead.run]: 4 }, left: [] });
      expect(await leftIn(world)).toEqual(nothingLeft);
    },
  );

  test('ends with the broker’s no to delete a group, all else removed; one that has members is asked again', async () => {
    const world = drillWorld();
    await withRemains(world);
    const { deleteGroups } = world.site.kafka;
    const answers = ['GroupActive', 'KafkaDenied'];
    world.site.kafka.deleteGroups = async (names) => {
      const code = answers.shift() ?? 'KafkaDenied';
      return new Map([...names].map((name) => [name, new ArgusError(code, `DELETE of ${name}`)]));
    };
    expect(await sweep(world)).toMatchObject({ error: { code: 'KafkaDenied' } });
    expect(answers).toEqual([]);
    expect(await leftIn(world)).toEqual({ ...nothingLeft, groups: [dead.group('counts')] });
    world.site.kafka.deleteGroups = deleteGroups;
    expect(await sweep(world, 2)).toMatchObject({ removed: { [dead.run]: 1 }, left: [] });
  });

  test('is done by the next drill before it makes anything', async () => {
    const world = drillWorld();
    await withRemains(world);
    await writeDrillNote(world.state, note);
    world.changes.length = 0;
    const { report } = await world.run(1);
    expect(report).toMatchObject({ outcome: 'passed', leaks: [] });
    const ended = world.changes.findIndex(([what, name]) => what === 'topic-' && name === dead.topic('metrics'));
    const made = world.changes.findIndex(([what]) => what === 'topic+');
    expect(ended).toBeGreaterThanOrEqual(0);
    expect(ended).toBeLessThan(made);
    expect(await leftIn(world)).toEqual(nothingLeft);
  });
});
