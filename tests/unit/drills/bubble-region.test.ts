import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bubbleOf, isInBubble } from '../../../domain/bubble.ts';
import { bubbleRegion, bubbleState, type DrillSite } from '../../../drills/bubble-region.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';

const bubble = bubbleOf('20261122T033000Z-drill-ab12');

/** A site whose every call is noted by its name. */
function noted(): { readonly site: DrillSite; readonly calls: string[] } {
  const calls: string[] = [];
  const port = <T extends object>(): T =>
    new Proxy({} as T, {
      get: (_, name) =>
        name === 'uri' ? 's3://standby' : (...args: unknown[]) => void calls.push(`${String(name)} ${args}`),
    });
  const site = {
    name: 'singapore',
    kafka: port(),
    objects: port(),
    flink: port(),
    deployments: port(),
    ownCluster: true,
    principal: 'User:drill',
  };
  return { site: site as DrillSite, calls };
}

/** Names of the drill, of other drills, of production, and what looks like any of them. */
const name = fc.oneof(
  fc.constantFrom(
    bubble.topic('metrics'),
    bubble.group('counts'),
    bubble.flinkJobId(0),
    bubble.kubernetes(0),
    `${bubble.checkpoints('counts')}/chk-1`,
    bubbleOf('20261122T033000Z-drill-ab13').topic('metrics'),
    bubbleOf('20261122T033000Z-drill-ab13').flinkJobId(0),
    bubbleOf('20261122T033000Z-drill-ab13').kubernetes(0),
    'argus-flink',
    'metrics',
    'counts',
    'argus.drill.',
    'argus/drills/20261122t033000z-ab12/../../checkpoints/x',
    'argus/replica/counts/files/x',
    'User:drill',
    'User:job',
    '',
  ),
  fc.string({ maxLength: 60 }),
);

const writes = (site: DrillSite) => {
  const { kafka, objects, flink, deployments } = site;
  const made = (name: string) => ({ apiVersion: 'v1', kind: 'FlinkDeployment', metadata: { name } });
  const start = (jobId: string, savepointPath: string, name = bubble.kubernetes(1)) =>
    flink.start({ jobId, savepointPath, manifest: made(name), jarPath: '', entryClass: '', args: [], parallelism: 1 });
  return [
    (n: string) => [kafka.createTopic({ name: n, partitions: 1, configs: {} }), isInBubble(bubble, 'topic', n)],
    (n: string) => [kafka.deleteTopics([bubble.topic('a'), n]), isInBubble(bubble, 'topic', n)],
    (n: string) => [kafka.growTopic(n, 2), false],
    (n: string) => [kafka.alterTopicConfigs(n, {}), false],
    (n: string) => [kafka.setGroupOffsets(n, []), isInBubble(bubble, 'group', n)],
    (n: string) => [kafka.commitGroups(new Map([[n, []]])), isInBubble(bubble, 'group', n)],
    (n: string) => [kafka.deleteGroups([n]), isInBubble(bubble, 'group', n)],
    (n: string) => [kafka.alterQuotas(n, {}), n === 'User:drill'],
    (n: string) => [kafka.initProducer(n), false],
    (n: string) => [kafka.createAcls([]), n === 'never'],
    (n: string) => [kafka.deleteAcls([]), n === 'never'],
    (n: string) => [objects.put(n, new Uint8Array()), isInBubble(bubble, 'object', n)],
    (n: string) => [objects.delete(n), isInBubble(bubble, 'object', n)],
    (n: string) => [objects.copy('argus/replica/x', n), isInBubble(bubble, 'object', n)],
    (n: string) => [objects.copy(n, bubble.restore('counts')), true],
    (n: string) => [flink.cancel(n), isInBubble(bubble, 'flinkJob', n)],
    (n: string) => [
      flink.removeUpload!(`0f8fad5b-d9cb-469f-a165-70867728950e_${n}-counts.jar`),
      isInBubble(bubble, 'flinkJob', n),
    ],
    (n: string) => [start(n, `s3://standby/${bubble.restore('counts')}`), isInBubble(bubble, 'flinkJob', n)],
    (n: string) => [start(bubble.flinkJobId(1), `s3://standby/${n}`), isInBubble(bubble, 'object', n)],
    (n: string) => [deployments!.delete(n), isInBubble(bubble, 'kubernetes', n)],
    (n: string) => [
      start(bubble.flinkJobId(1), `s3://standby/${bubble.restore('counts')}`, n),
      isInBubble(bubble, 'kubernetes', n),
    ],
  ] as readonly ((n: string) => readonly [unknown, boolean])[];
};

test('whatever name a drill gives to a call that changes something, nothing outside of its bubble is changed', () => {
  fc.assert(
    fc.property(name, fc.nat({ max: 20 }), (given, which) => {
      const { site, calls } = noted();
      const write = writes(bubbleRegion(site, bubble))[which]!;
      let allowed: boolean | undefined;
      try {
        allowed = write(given)[1];
      } catch (error) {
        expect(error).toMatchObject({ code: 'OutsideBubble', exitCode: 3 });
        expect(calls).toEqual([]);
        return;
      }
      expect(allowed, `${calls}`).toBe(true);
      expect(calls).toHaveLength(1);
    }),
    { numRuns: 2_000 },
  );
});

test('of the state a drill changes notes of drills alone', async () => {
  const state = memoryObjectStore('state');
  const guarded = bubbleState(state, bubble);
  await guarded.put(`drills/open/${bubble.run}`, new Uint8Array());
  for (const key of ['lease', 'roles/0000000002', 'drills/lease', `drills/journal/${bubble.run}/1`, 'drills/open/x']) {
    expect(() => guarded.put(key, new Uint8Array()), key).toThrow('nothing but its own');
    expect(() => guarded.delete(key), key).toThrow('nothing but its own');
  }
  expect(() => guarded.copy('lease', `drills/open/${bubble.run}`)).toThrow('copy');
  expect((await state.list('')).objects.map(({ key }) => key)).toEqual([`drills/open/${bubble.run}`]);
});

test('looks at everything', async () => {
  const { site, calls } = noted();
  const { kafka, objects, flink } = bubbleRegion(site, bubble);
  await kafka.describeTopics(['metrics']);
  await objects.list('');
  await flink.list();
  expect(calls).toHaveLength(3);
});

test('closes nothing, since others use it too', () => {
  const { site } = noted();
  expect(() => bubbleRegion(site, bubble).kafka.close()).toThrow('close');
});
