import { formatMs } from '../../health/render-status.ts';
import { listReplica, verifyPoint } from '../../replication/checkpoints/replica.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

/** `argus checkpoints list`: what the replica of each job holds. Exit code 0 also when that is nothing. */
export async function run(context: CommandContext): Promise<number> {
  return withComposition(context, async (composition) => {
    const { clock, signal } = context;
    const { standby } = await sidesOf(context, composition, await rolesNow(context, composition));
    const jobs = await Promise.all(
      composition.config.jobs.map(async ({ name }) => {
        const { points, problems, objects } = await listReplica(standby.objects, name, { signal, hashMetadata: true });
        return {
          job: name,
          points: points.map((point) => ({
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
    if (context.json) context.print(JSON.stringify({ region: standby.name, jobs }));
    else {
      for (const { job, points, problems } of jobs) {
        context.print(`${job} on ${standby.name}: ${points.length} complete`);
        for (const p of points) {
          const state =
            p.problems.length === 0 ? 'complete' : p.problems.map((x) => `${x.code}: ${x.message}`).join('; ');
          context.print(
            `  checkpoint ${p.checkpointId}  ${formatMs(Math.max(0, clock.now() - p.completedAtMs))} old  ${p.files} files, ${p.bytes} bytes  ${state}`,
          );
        }
        for (const p of problems) context.print(`  ${p.code}: ${p.message}`);
      }
    }
    return 0;
  });
}
