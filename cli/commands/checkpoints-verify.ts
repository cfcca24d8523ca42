import { formatByteSize } from '../../domain/byte-size.ts';
import { ArgusError } from '../../domain/errors.ts';
import { listReplica, type ReplicaProblem } from '../../replication/checkpoints/replica.ts';
import { type ByteProgress, type VerifiedReplica, verifyCheckpoints } from '../../replication/checkpoints/verify.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

interface Options {
  readonly job?: string;
  readonly checkpoint?: number;
}

const tellPaceMs = 2_000;

/**
 * `argus checkpoints verify`: every byte of the replica is what was copied. Exit code 1 when one is not, when something
 * that should be a manifest is none, and when a job has no checkpoint that could be verified.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const { clock, signal } = context;
    const { standby } = await sidesOf(context, composition, await rolesNow(context, composition));
    const jobs = chosenJobs(composition.config.jobs, options.job);
    const begunAt = clock.monotonic();
    const replicas = [];
    for (const { name: job } of jobs) replicas.push({ job, ...(await listReplica(standby.objects, job, { signal })) });
    const manifests = replicas
      .flatMap(({ points }) => points.map((p) => p.manifest))
      .filter((m) => options.checkpoint === undefined || m.checkpointId === options.checkpoint);
    if (options.checkpoint !== undefined && manifests.length === 0) {
      throw new ArgusError('CheckpointMissing', `${standby.name} has no checkpoint ${options.checkpoint}`, {
        exitCode: 2,
        hint: '`argus checkpoints list` says which there are.',
      });
    }
    let toldAt = begunAt;
    const onProgress = (now: ByteProgress) => {
      if (clock.monotonic() - toldAt < tellPaceMs) return;
      toldAt = clock.monotonic();
      context.tell(progressLine(now, toldAt - begunAt));
    };
    const result = await verifyCheckpoints({ store: standby.objects, manifests, onProgress, signal });
    const problems = replicas.flatMap((r) => r.problems);
    const without = unverifiedJobs(replicas, result);
    const ok = isGood(result, problems) && without.length === 0;
    const durationMs = Math.round(clock.monotonic() - begunAt);
    if (context.json) {
      const firstDifference = firstOf(result) ?? null;
      const document = { region: standby.name, ok, firstDifference, ...result, durationMs, problems, without };
      context.print(JSON.stringify(document));
    } else {
      for (const line of asText(result, problems)) context.print(line);
      for (const job of without) context.print(`${job}: no checkpoint on ${standby.name} that could be verified`);
      context.print(verdict(result, standby.name, durationMs));
    }
    return ok ? 0 : 1;
  });
}

/** Jobs of which no checkpoint was read to its end: the replica has none, or what was asked for went meanwhile. Pure. */
export function unverifiedJobs(
  replicas: readonly { readonly job: string; readonly points: readonly unknown[] }[],
  { checkpoints }: Pick<VerifiedReplica, 'checkpoints'>,
): readonly string[] {
  const none = (job: string) => {
    const own = checkpoints.filter((c) => c.job === job);
    return own.length > 0 && own.every((c) => c.state === 'gone');
  };
  return replicas.filter(({ job, points }) => points.length === 0 || none(job)).map(({ job }) => job);
}

/** What an interrupted copy left is no difference: its checkpoint was never called complete. */
function isGood(result: VerifiedReplica, problems: readonly ReplicaProblem[]): boolean {
  return result.checkpoints.every((c) => c.state !== 'differs') && problems.every((p) => p.code === 'HalfWritten');
}

function firstOf(result: VerifiedReplica) {
  const differing = result.checkpoints.find((c) => c.state === 'differs');
  if (differing === undefined) return undefined;
  const { job, flinkJobId, checkpointId, differences } = differing;
  return { job, flinkJobId, checkpointId, ...differences[0] };
}

function progressLine({ files, totalFiles, bytes, totalBytes }: ByteProgress, elapsedMs: number): string {
  const share = totalBytes === 0 ? 100 : Math.min(100, Math.floor((bytes * 100) / totalBytes));
  return `verified ${files} of ${totalFiles} files, ${formatByteSize(bytes)} (${share} %), ${rate(bytes, elapsedMs)}`;
}

function rate(bytes: number, elapsedMs: number): string {
  return `${formatByteSize(Math.round((bytes * 1_000) / Math.max(1, elapsedMs)))}/s`;
}

function asText(result: VerifiedReplica, problems: readonly ReplicaProblem[]): readonly string[] {
  const lines = result.checkpoints.flatMap((c) => {
    const name = `${c.job} checkpoint ${c.checkpointId} of ${c.flinkJobId}`;
    if (c.state === 'gone') return [`${name}: removed meanwhile`];
    const unproven = c.unprovenFiles === 0 ? '' : `; ${c.unprovenFiles} files without a checksum: only their size`;
    const what = c.state === 'same' ? 'same' : `${c.differences.length} differences`;
    return [
      `${name}: ${what}, ${c.files} files, ${formatByteSize(c.bytes)}${unproven}`,
      ...c.differences.map((d) => `  ${d.code}: ${d.message}`),
    ];
  });
  return [...lines, ...problems.map((p) => `${p.code}: ${p.message}`)];
}

function verdict(result: VerifiedReplica, region: string, durationMs: number): string {
  const first = firstOf(result);
  if (first !== undefined) {
    return `${region} differs first in checkpoint ${first.checkpointId} of ${first.job}: ${first.message}`;
  }
  const { checkpoints, filesRead, bytesRead } = result;
  const same = checkpoints.filter((c) => c.state === 'same').length;
  return `${region} holds ${same} checkpoints as they were copied: ${filesRead} files, ${formatByteSize(bytesRead)} read, ${rate(bytesRead, durationMs)}`;
}
