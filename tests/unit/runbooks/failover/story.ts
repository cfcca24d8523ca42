import { expect } from 'vitest';
import { type Acl, aclKey } from '../../../../regions/kafka/kafka-acls.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { OpenTransaction } from '../../../../replication/topics/decide-transactions.ts';
import { directionOf } from '../../../../runbooks/failover/direction.ts';
import { suspendedRefusal } from '../../../../runbooks/failover/plan.ts';
import { prepareFailover, runFailover } from '../../../../runbooks/failover/run-failover.ts';
import { putFollowedAcls } from '../../../../state/followed-acls.ts';
import { claimedEpoch, namePlace } from '../../../../state/guard.ts';
import { keepMirrorProducer } from '../../../../state/mirror-producer.ts';
import { readRoles, writeRoles } from '../../../../state/roles.ts';
import type { Story } from '../../../support/crash-everywhere.ts';
import { confirming } from './fail-over.ts';
import {
  config,
  newWorld,
  regionsWithRole,
  roles,
  runName,
  type World,
  type WorldOptions,
  wouldWait,
} from './world.ts';

/** The rule that was withheld from the standby. */
export const write: Acl = {
  resourceType: 'topic',
  resourceName: 'events',
  patternType: 'literal',
  principal: 'User:shop',
  host: '*',
  operation: 'WRITE',
  permission: 'ALLOW',
};

/** A failover as its command makes it, told so that it can be killed anywhere, over a world of these circumstances. */
export function failoverStory(circumstances: WorldOptions & { readonly mirror: 'confirms' | 'silent' }): Story<World> {
  return {
    async begin() {
      const world = newWorld({ ...circumstances, store: memoryObjectStore('state') });
      await writeRoles(world.store, roles);
      await keepMirrorProducer(world.store, 1, { transactionalId: 't', producerId: 1n, producerEpoch: 0 });
      await withRules(world);
      const { guard } = world.context;
      for (const place of guard ? [world.store, guard.witness] : []) await namePlace(place, place.uri);
      return world;
    },
    async attempt(world, process, n) {
      const { state, ...rest } = circumstances.mirror === 'confirms' ? confirming(world) : world.context;
      const context = process.context({ ...rest, state, run: runName(n), config: denying });
      const direction = await directionOf(context.state, (await readRoles(context.state))!);
      if (direction.roles.replication === 'suspended') return suspendedRefusal(direction.roles);
      const outage = { atMs: 1_799_999_999_000, source: 'first-failed-probe' } as const;
      const target = { ...context, roles: direction.roles };
      const { resumes } = direction;
      const plan = async () => prepareFailover(target, outage, resumes ? { resumes: resumes.run } : {});
      const start = async () =>
        runFailover({ context: target, outage, plan: await plan(), processes: process.processes, holder: runName(n) });
      // The dead process' last request may come after the plan, as a sign of life: the operator repeats the command.
      const isGhost = ({ code }: { readonly code?: string }) => code === 'AnotherActed' || code === 'LeaseHeld';
      const report = await start().catch((e) => (isGhost(e) ? start() : Promise.reject(e)));
      if (!process.dead) expect(report).toMatchObject({ outcome: 'done' });
      return report;
    },
    endState: async (world) => ({
      roles: { ...(await readRoles(world.store)), atMs: 0, run: '' },
      mayRun: await regionsWithRole(world.store),
      records: await world.context.names.records.find('ingest.argus.test', 'A', { signal }),
      jobs: await world.context.standby.flink.list(),
      open: await world.context.remains.openTransactions([], [], signal),
      rules: await world.context.standby.kafka.listAcls(),
      claimed: world.context.guard && (await claimedEpoch(world.context.guard.witness, 'mumbai')),
      fence: circumstances.primary === 'up' && circumstances.fence ? await world.context.primary.kafka.listAcls() : [],
      denied: (await world.context.remains.lookAtDenial([], signal)).kind,
    }),
    effects: (world) => world.effects,
    repeatable: (effect) => ['sync group', 'fence'].includes(effect) || /^(deny|allow) /.test(effect),
    async invariants(world) {
      const { effects } = world;
      expect((await regionsWithRole(world.store)).length, 'both regions may run').toBeLessThan(2);
      expect(effects).not.toContain(wouldWait);
      const started = effects.findIndex((e) => e.startsWith('start '));
      expect(effects.slice(started < 0 ? effects.length : started), 'after the start').not.toContain('sync group');
      const flipped = effects.findIndex((e) => e.startsWith('dns '));
      if (flipped >= 0) expect(started, 'no name moves before the jobs have started').toBeLessThan(flipped);
      if (circumstances.primary === 'up' && started >= 0) {
        expect(effects.indexOf('cancel primary job'), "before the primary's jobs were stopped").toBeLessThan(started);
        expect(effects).toContain('cancel primary job');
      }
    },
  };
}

const { signal } = new AbortController();

/** The configuration under which the mirror's right to write is taken away. */
export const denying = { ...config, mirror: { ...config.mirror, principal: 'User:argus', denyWrite: true } };

/** ACLs on the standby of which one was withheld. */
async function withRules(world: World): Promise<void> {
  const rules: Acl[] = [];
  await putFollowedAcls(world.store, 1, { made: [], withheld: [write] });
  const { kafka } = world.context.standby;
  kafka.listAcls = async () => [...rules];
  kafka.createAcls = async (acls) => {
    for (const acl of acls) if (!rules.some((r) => aclKey(r) === aclKey(acl))) rules.push(acl);
  };
  kafka.deleteAcls = async (acls) => {
    for (const acl of acls) {
      const at = rules.findIndex((r) => aclKey(r) === aclKey(acl));
      if (at >= 0) rules.splice(at, 1);
    }
  };
}

const open: OpenTransaction = {
  topic: 'events',
  partition: 0,
  producerId: 5n,
  producerEpoch: 0,
  transactionalId: 'argus-x',
  owner: 'mirror',
  firstOffset: 90n,
  sinceMs: undefined,
  sourceProducerId: undefined,
  sourceProducerEpoch: undefined,
};

/** Circumstances that lead a failover along its different ways. */
export const worlds: readonly (readonly [string, Parameters<typeof failoverStory>[0]])[] = [
  ['the primary is dark and the mirror confirms', { mirror: 'confirms', open: [open] }],
  [
    'the primary is dark and claimed from its guard',
    { mirror: 'confirms', acceptUnfenced: false, fence: {}, guarded: true },
  ],
  ['the primary is dark and the mirror is silent', { mirror: 'silent', open: [open] }],
  [
    'the primary answers and its Kafka is fenced',
    { mirror: 'confirms', primary: 'up', acceptUnfenced: false, fence: {} },
  ],
  ['the primary answers', { mirror: 'confirms', primary: 'up', acceptUnfenced: false }],
];
