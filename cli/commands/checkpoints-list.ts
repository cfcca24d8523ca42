import { formatMs } from '../../health/render-status.ts';
import { listReplica, verifyPoint } from '../../replication/checkpoints/replica.ts';
import { readReplicaHealth } from '../../state/replica-health.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';
import { listSource } from './checkpoints-list-source.ts';

interface Options {
  /** Its name; with `source` also a Flink job id. */
  readonly job?: string;
  readonly source?: boolean;
}

/** `argus checkpoints list`: what the replica of each job holds. Exit code 0 also when that is nothing. */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    if (options.source) return listSource(context, composition, options.job);
    const { clock, signal } = context;
    const { state } = composition;
    const { standby } = await sidesOf(context, composition, await rolesNow(context, composition));
    const jobs = await Promise.all(
      chosenJobs(composition.config.jobs, options.job).map(async ({ name }) => {
        const { points, problems, objects } = await listReplica(standby.objects, name, { signal, hashMetadata: true });
        return {
          job: name,
          points: points.map((point) => ({
            kind: point.manifest.kind ?? 'checkpoint',
            checkpointId: point.manifest.checkpointId,
            flinkJobId: point.manifest.flinkJobId,
            completedAtMs: point.manifest.completedAtMs,
            uri: point.manifest.replicaUri,
            files: point.manifest.files.length,
            bytes: point.manifest.files.reduce((sum, f) => sum + f.sizeBytes, 0),
            problems: verifyPoint(point, objects),
          })),
          problems,
        };
      }),
    );
    const health = (await readReplicaHealth(state, standby.name, { signal }))?.jobs ?? {};
    const withHealth = jobs.map((each) => ({
      ...each,
      verified: health[each.job]?.verified ?? null,
      slow: health[each.job]?.slow ?? null,
    }));
    if (context.json) context.print(JSON.stringify({ region: standby.name, jobs: withHealth }));
    else {
      for (const { job, points, problems, verified, slow } of withHealth) {
        const seen = verified
          ? `; all files looked at ${formatMs(Math.max(0, clock.now() - verified.atMs))} ago, ${verified.damagedFiles} damaged`
          : '';
        context.print(`${job} on ${standby.name}: ${points.length} complete${seen}`);
        if (slow) context.print(`  ${slow.code}: ${slow.message}`);
        for (const p of points) {
          const state =
            p.problems.length === 0 ? 'complete' : p.problems.map((x) => `${x.code}: ${x.message}`).join('; ');
          context.print(
            `  ${p.kind} ${p.checkpointId}  ${formatMs(Math.max(0, clock.now() - p.completedAtMs))} old  ${p.files} files, ${p.bytes} bytes  ${state}`,
          );
        }
        for (const p of problems) context.print(`  ${p.code}: ${p.message}`);
      }
    }
    return 0;
  });
}
