import type { Acl } from '../../../regions/kafka/kafka-acls.ts';
import { aclKey } from '../../../regions/kafka/kafka-acls.ts';
import { describeAcl } from '../../../replication/acls/plan-acls.ts';
import { releaseWithheldAcls, unreleasedAcls } from '../../../replication/acls/release-withheld.ts';
import { putFollowedAcls, readFollowedAcls } from '../../../state/followed-acls.ts';
import type { StepIo } from '../../engine/step.ts';
import type { FailoverContext } from '../context.ts';
import { evidence, type FailoverStep, type StepWords } from '../failover-step.ts';

/**
 * Lets on the standby write who may do it on the primary: the rules that were withheld from the copy. Before the jobs
 * start, which may write to mirrored topics. A failover goes on without it.
 */
export function releaseAcls(words: StepWords): FailoverStep {
  return {
    id: 'release-acls',
    ...words,
    timeoutMs: 20_000,
    onFailure: { kind: 'continue', hint: 'make these ACLs by hand (`argus failover --dry-run` prints the commands)' },
    async observe(context, _facts, io) {
      const withheld = await withheldAcls(context, io);
      if (withheld.length === 0) return { kind: 'done', evidence: 'no ACLs were withheld' };
      const missing = await unreleasedAcls(context.standby.kafka, withheld, io);
      if (missing === undefined) return { kind: 'done', evidence: `${context.standby.name} has no authorizer` };
      return missing.length > 0 ? { kind: 'todo' } : { kind: 'done', evidence: evidence(withheld.map(describeAcl)) };
    },
    async act(context, _facts, io) {
      const { state, roles, standby } = context;
      const noted = await readFollowedAcls(state, roles.epoch, io);
      const missing = (await unreleasedAcls(standby.kafka, noted?.withheld ?? [], io)) ?? [];
      io.check();
      // Noted first: should the failover give up, these are Argus' own, to be taken away again.
      if (noted) await putFollowedAcls(state, roles.epoch, { ...noted, made: [...noted.made, ...missing] }, io);
      io.check();
      await releaseWithheldAcls(standby.kafka, missing, io);
    },
    async verify(context, _facts, io) {
      const withheld = await withheldAcls(context, io);
      const missing = await unreleasedAcls(context.standby.kafka, withheld, io);
      if (missing?.[0]) return { kind: 'pending', waitingFor: `the brokers to show ${describeAcl(missing[0])}` };
      return { kind: 'done', evidence: evidence(withheld.map(describeAcl)) };
    },
    async compensate(context, _facts, io) {
      const { state, roles, standby } = context;
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

async function withheldAcls({ config, state, roles }: FailoverContext, io: StepIo): Promise<readonly Acl[]> {
  if (config.mirror.acls === 'off') return [];
  return (await readFollowedAcls(state, roles.epoch, io))?.withheld ?? [];
}
