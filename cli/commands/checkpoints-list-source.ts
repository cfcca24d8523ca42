import { formatMs } from '../../health/render-status.ts';
import { gatherPrimaryPoints, type PrimaryPoint } from '../../replication/checkpoints/primary-catalogue.ts';
import { listReplica } from '../../replication/checkpoints/replica.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, sidesOf } from '../session.ts';

/** `argus checkpoints list --source`: what the primary has of each job, and whether the replica has it. */
export async function listSource(
  context: CommandContext,
  composition: Composition,
  which: string | undefined,
): Promise<number> {
  const { clock, signal } = context;
  const { primary, standby } = await sidesOf(context, composition, await rolesNow(context, composition));
  const run = which !== undefined && /^[0-9a-f]{32}$/.test(which) ? which : undefined;
  const asked = chosenJobs(composition.config.jobs, run === undefined ? which : undefined);
  const jobs = await Promise.all(
    asked.map(async ({ name, checkpoints: { prefix, savepoints } }) => {
      const replica = await listReplica(standby.objects, name, { signal });
      const found = await gatherPrimaryPoints({
        objects: primary.objects,
        flink: primary.flink,
        job: name,
        prefix,
        savepoints,
        replicated: replica.points.map((point) => point.manifest),
        signal,
      });
      const points = found.points.filter((point) => run === undefined || point.flinkJobId === run);
      return { job: name, points, flinkSilent: found.flinkSilent ?? null };
    }),
  );
  if (context.json) context.print(JSON.stringify({ region: primary.name, jobs }));
  else {
    for (const { job, points, flinkSilent } of jobs) {
      context.print(`${job} on ${primary.name}: ${points.length} complete`);
      if (flinkSilent !== null) context.print(`  Flink can't be asked: ${flinkSilent}`);
      for (const point of points) context.print(line(point, clock.now()));
    }
  }
  return 0;
}

function line(point: PrimaryPoint, nowMs: number): string {
  const age = formatMs(Math.max(0, nowMs - point.completedAtMs));
  const gone = point.seenIn.includes('bucket') ? '' : ', by Flink’s word only';
  const replicated = point.replicated ? 'on the replica' : 'not on the replica';
  const what = point.kind === 'checkpoint' ? `of ${point.flinkJobId}` : point.uri;
  return `  ${point.kind} ${point.checkpointId} ${what}  ${age} old  ${replicated}${gone}`;
}
