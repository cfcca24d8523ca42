import type { Acl } from '../../../regions/kafka/kafka-acls.ts';
import { aclKey } from '../../../regions/kafka/kafka-acls.ts';
import { describeAcl } from '../../../replication/acls/plan-acls.ts';
import { releaseWithheldAcls, unreleasedAcls } from '../../../replication/acls/release-withheld.ts';
import { putFollowedAcls, readFollowedAcls } from '../../../state/followed-acls.ts';
import { readKafkaFence } from '../../../state/kafka-fence.ts';
import type { StepIo } from '../../engine/step.ts';
import { fencedTopics } from '../../fencing/fence-rules.ts';
import { allowKafkaWrites, denyKafkaWrites, everybody, rulesLeft } from '../../fencing/kafka-fencing.ts';
import type { FailoverContext } from '../context.ts';
import { evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { refuseOncePromoted } from './freeze-mirror.ts';

/**
 * Lets on the standby write who may do it on the primary: lifts the fence that the region has from a time when it lost
 * the role, and makes the rules that were withheld from the copy. Before the jobs start, which may write to mirrored
 * topics. A failover goes on without it.
 */
export function releaseAcls(words: StepWords): FailoverStep {
  let lifted: readonly Acl[] = [];
  return {
    id: 'release-acls',
    ...words,
    waitsFor: 'Kafka of the standby',
    timeoutMs: 20_000,
    onFailure: { kind: 'continue', hint: 'make these ACLs by hand (`argus failover --dry-run` prints the commands)' },
    async observe(context, _facts, io) {
      const withheld = await withheldAcls(context, io);
      if (await isShut(context, io)) return { kind: 'todo' };
      if (withheld.length === 0) return { kind: 'done', evidence: 'no ACLs were withheld' };
      const missing = await unreleasedAcls(context.standby.kafka, withheld, io);
      if (missing === undefined) return { kind: 'done', evidence: `${context.standby.name} has no authorizer` };
      return missing.length > 0 ? { kind: 'todo' } : { kind: 'done', evidence: evidence(withheld.map(describeAcl)) };
    },
    async act(context, _facts, io) {
      const { state, roles, standby } = context;
      if (await isShut(context, io)) {
        const author = { by: context.run, atMs: io.clock.now(), openedFor: roles.epoch + 1 };
        lifted = await allowKafkaWrites({ region: standby, state }, everybody, author, io);
      }
      const noted = await readFollowedAcls(state, roles.epoch, io);
      const missing = (await unreleasedAcls(standby.kafka, noted?.withheld ?? [], io)) ?? [];
      io.check();
      // Noted first: should the failover give up, these are Argus' own, to be taken away again.
      if (noted) await putFollowedAcls(state, roles.epoch, { ...noted, made: [...noted.made, ...missing] }, io);
      io.check();
      await releaseWithheldAcls(standby.kafka, missing, io);
    },
    async verify(context, _facts, io) {
      const [left] = await rulesLeft({ region: context.standby }, lifted, io.signal);
      if (left) return { kind: 'pending', waitingFor: `the brokers to give up ${describeAcl(left)}` };
      if (await isShut(context, io)) return { kind: 'pending', waitingFor: 'the fence to be lifted' };
      const withheld = await withheldAcls(context, io);
      const missing = await unreleasedAcls(context.standby.kafka, withheld, io);
      if (missing?.[0]) return { kind: 'pending', waitingFor: `the brokers to show ${describeAcl(missing[0])}` };
      return { kind: 'done', evidence: evidence([...withheld, ...lifted].map(describeAcl)) };
    },
    async compensate(context, _facts, io) {
      await refuseOncePromoted(context, io.signal);
      const { state, roles, standby } = context;
      if ((await readKafkaFence(state, standby.name, io))?.openedFor === roles.epoch + 1) {
        const target = { region: standby, state, topics: fencedTopics(context.config, standby.fence?.settings) };
        await denyKafkaWrites(target, everybody, { by: context.run, atMs: io.clock.now() }, io);
      }
      const noted = await readFollowedAcls(state, roles.epoch, io);
      const withheld = new Set(noted?.withheld.map(aclKey));
      const released = noted?.made.filter((acl) => withheld.has(aclKey(acl))) ?? [];
      if (!noted || released.length === 0) return undefined;
      io.check();
      await standby.kafka.deleteAcls(released, io);
      const made = noted.made.filter((acl) => !withheld.has(aclKey(acl)));
      await putFollowedAcls(state, roles.epoch, { ...noted, made }, io);
      return evidence({ withheldAgain: released.map(describeAcl) });
    },
  };
}

/** Whether the region is fenced from an earlier life, or may be fenced again by whoever watches the roles. */
async function isShut({ state, standby, roles, guard }: FailoverContext, io: StepIo): Promise<boolean> {
  const fence = await readKafkaFence(state, standby.name, io);
  // Roles that no run has written: the region never lost the role of primary.
  if (fence === undefined && roles.run === undefined && guard === undefined) return false;
  return fence?.openedFor !== roles.epoch + 1 || fence.rules.length > 0;
}

async function withheldAcls({ config, state, roles }: FailoverContext, io: StepIo): Promise<readonly Acl[]> {
  if (config.mirror.acls === 'off') return [];
  return (await readFollowedAcls(state, roles.epoch, io))?.withheld ?? [];
}
