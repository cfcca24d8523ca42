import { requireReplicaRight } from '../../daemon/checkpoint-lease.ts';
import { acquireReplicationLease } from '../../daemon/replication-lease.ts';
import { retentionRules } from '../../domain/checkpoints-config.ts';
import { ArgusError } from '../../domain/errors.ts';
import { bytesToRemove, type RetentionPlan } from '../../replication/checkpoints/retention.ts';
import { heldPoints } from '../../replication/checkpoints/retention-holds.ts';
import { applyRetention, gatherRetention } from '../../replication/checkpoints/retention-prune.ts';
import { freezeInForce } from '../../state/freeze.ts';
import { acquireLease } from '../../state/lease.ts';
import { agree } from '../agree.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

interface Options {
  readonly job?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const actingTtlMs = 15_000;

/**
 * `argus checkpoints prune`: deletes from the replica what retention no longer keeps, after showing it. Refused (exit
 * code 3) while anybody replicates, a failover is under way, or after a promotion; with `--dry-run` it only shows.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const { clock, who } = context;
    const { config, state } = composition;
    const jobs = chosenJobs(config.jobs, options.job);
    const roles = await rolesNow(context, composition);
    const { standby } = await sidesOf(context, composition, roles);

    const plans = async (signal: AbortSignal) => {
      const held = await heldPoints(state, standby, { signal });
      const time = options.dryRun ? { nowMs: clock.now() } : 'writeClock';
      const found: { readonly job: string; readonly plan: RetentionPlan }[] = [];
      for (const { name, checkpoints } of jobs) {
        const rules = retentionRules(config.checkpoints, checkpoints);
        found.push({ job: name, plan: await gatherRetention(standby.objects, name, rules, held, time, { signal }) });
      }
      return found;
    };
    const show = (found: Awaited<ReturnType<typeof plans>>, done: boolean) => {
      if (context.json) context.print(JSON.stringify({ region: standby.name, done, jobs: found.map(toJson) }));
      else for (const { job, plan } of found) context.print(render(job, plan, standby.name));
    };
    if (options.dryRun) {
      show(await plans(context.signal), false);
      return 0;
    }

    if (roles.replication !== 'active') {
      throw refused(`${roles.primary} was promoted: its jobs may read the checkpoints that they were restored from`);
    }
    const freeze = await freezeInForce(state, roles.epoch, { signal: context.signal });
    if (freeze) throw refused(`a failover is under way, or was left on the way (${freeze.run})`);
    const parts = { state, clock, holder: who };
    const replication = await acquireReplicationLease(parts, 'checkpoints prune', context.signal);
    const leases = [replication];
    const stopRenewing = [replication.keepRenewed()];
    try {
      const request = { holder: who, purpose: 'checkpoints prune', ttlMs: actingTtlMs, waitMs: actingTtlMs + 3_000 };
      const answer = await acquireLease(state, request, clock, { signal: context.signal });
      if (answer.kind === 'held') throw refused(`${answer.by.holder} acts on the regions (${answer.by.purpose})`);
      leases.push(answer.lease);
      stopRenewing.push(answer.lease.keepRenewed());
      return await requireReplicaRight(parts, 'checkpoints prune', context.signal, async (right) => {
        const signal = AbortSignal.any([right.signal, ...leases.map((lease) => lease.signal)]);
        const check = () => {
          right.check();
          for (const lease of leases) lease.check();
        };
        const found = await plans(signal);
        if (found.some(({ plan }) => goes(plan))) {
          if (!options.yes) {
            for (const { job, plan } of found) context.tell(render(job, plan, standby.name));
            await agree(context, standby.name);
          }
          for (const { plan } of found) await applyRetention(standby.objects, plan, { signal, check });
        }
        show(found, true);
        return 0;
      });
    } finally {
      await Promise.all(stopRenewing.map((stop) => stop()));
      for (const lease of leases.reverse())
        await lease.release({ signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
    }
  });
}

const goes = (plan: RetentionPlan) => plan.removed.length + plan.files.length + plan.orphans.length > 0;

function toJson({ job, plan }: { readonly job: string; readonly plan: RetentionPlan }) {
  const points = (list: RetentionPlan['kept'] | RetentionPlan['removed']) =>
    list.map(({ manifest: { flinkJobId, checkpointId, completedAtMs, replicaUri }, why }) => ({
      flinkJobId,
      checkpointId,
      completedAtMs,
      uri: replicaUri,
      why,
    }));
  return {
    job,
    kept: points(plan.kept),
    removed: points(plan.removed),
    files: plan.files.map(({ key, sizeBytes }) => ({ key, sizeBytes })),
    orphans: plan.orphans.map(({ key, sizeBytes }) => ({ key, sizeBytes })),
    bytes: bytesToRemove(plan),
    blocked: plan.blocked ?? null,
  };
}

function render(job: string, plan: RetentionPlan, region: string): string {
  if (plan.blocked) return `${job} on ${region}: nothing goes. ${plan.blocked.message}`;
  const held = plan.kept.filter((p) => p.why === 'held').length;
  const stay = `${plan.kept.length} checkpoints stay${held > 0 ? `, ${held} of them because a job was restored from it` : ''}`;
  const sum = (objects: RetentionPlan['files']) => objects.reduce((bytes, o) => bytes + o.sizeBytes, 0);
  return [
    `${job} on ${region}: ${plan.removed.length} checkpoints go, ${stay}; ${bytesToRemove(plan)} bytes go`,
    ...plan.removed.map((p) => `  checkpoint ${p.manifest.checkpointId} of ${p.manifest.flinkJobId} (${p.why})`),
    `  ${plan.files.length} files that no other checkpoint needs, ${sum(plan.files)} bytes`,
    `  ${plan.orphans.length} remains of interrupted copies, ${sum(plan.orphans)} bytes`,
  ].join('\n');
}

function refused(message: string): ArgusError {
  return new ArgusError('PruneRefused', message, { exitCode: 3 });
}
