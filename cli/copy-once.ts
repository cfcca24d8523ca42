import { requireReplicaRight } from '../daemon/checkpoint-lease.ts';
import { jobSync, paceOf } from '../daemon/job-sync.ts';
import { formatByteSize } from '../domain/byte-size.ts';
import type { JobConfig } from '../domain/config.ts';
import { ArgusError } from '../domain/errors.ts';
import { formatMs } from '../health/render-status.ts';
import type { Region } from '../regions/region.ts';
import { sinkWatch } from '../replication/checkpoints/sink-ends.ts';
import type { CheckpointSync, SyncProgress, SyncStep } from '../replication/checkpoints/sync.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';

/** What became of one job's newest checkpoint. */
interface Copied {
  readonly job: string;
  /**
   * `copied`: it is on the replica now; `there`: it was already; `none`: the job has no complete checkpoint; `refused`:
   * it can't be replicated; `superseded`: Flink removed each one before its copy was complete.
   */
  readonly state: 'copied' | 'there' | 'none' | 'refused' | 'superseded';
  /** The newest on the replica. */
  readonly newest: ReturnType<CheckpointSync['status']>['newest'] | null;
  readonly refused: SyncStep['refused'];
  readonly filesCopied: number;
  readonly bytesCopied: number;
}

const TELL_MS = 2_000;
/** So many checkpoints may be lost to Flink in a row. */
const TRIES = 5;

/**
 * Brings the newest checkpoint of each job to the replica, with progress on stderr. Exit code 3 when one is refused,
 * else 1 when a job has none or none could be copied in time.
 */
export async function copyOnce(
  context: CommandContext,
  composition: Composition,
  regions: { readonly source: Region; readonly target: Region },
  jobs: readonly JobConfig[],
): Promise<number> {
  const { clock, who } = context;
  const { source, target } = regions;
  const sinks = sinkWatch(source.brokers);
  const settings = composition.config.checkpoints;
  const pace = paceOf(settings, clock);
  const parts = { state: composition.state, clock, holder: who };
  const copied: Copied[] = [];
  try {
    await requireReplicaRight(parts, 'checkpoints run', context.signal, async ({ signal }) => {
      for (const job of jobs) {
        const sync = jobSync(job, { settings, source, target, clock, sinks, pace });
        const done = await copyNewest(context, job.name, sync, signal);
        copied.push(done);
        context.print(context.json ? JSON.stringify(done) : resultLine(done));
      }
    });
  } finally {
    sinks.close();
  }
  if (copied.some((each) => each.refused.length > 0)) return 3;
  return copied.every((each) => each.state === 'copied' || each.state === 'there') ? 0 : 1;
}

async function copyNewest(
  context: CommandContext,
  job: string,
  sync: CheckpointSync,
  signal: AbortSignal,
): Promise<Copied> {
  const { clock } = context;
  const refused: SyncStep['refused'][number][] = [];
  let last: SyncProgress | undefined;
  let step: SyncStep | undefined;
  for (let tries = 0; tries < TRIES && (step === undefined || step.superseded !== undefined); tries++) {
    const beganAt = clock.monotonic();
    let toldAt = Number.NEGATIVE_INFINITY;
    const onProgress = (now: SyncProgress) => {
      last = now;
      if (now.totalFiles === 0 || clock.monotonic() - toldAt < TELL_MS) return;
      toldAt = clock.monotonic();
      context.tell(`${job}: ${progressLine(now, toldAt - beganAt)}`);
    };
    try {
      step = await sync.step({ signal, onProgress });
    } catch (error) {
      if (context.signal.aborted) throw interrupted(job, last, context.signal.reason);
      throw error;
    }
    refused.push(...step.refused);
    if (step.superseded !== undefined)
      context.tell(`${job}: Flink removed checkpoint ${step.superseded} during its copy; what was copied stays`);
  }
  const { newest, filesCopied, bytesCopied, slow } = sync.status();
  if (slow) context.tell(`warning: ${job}: ${slow.message}`);
  const state =
    refused.length > 0
      ? 'refused'
      : step?.superseded !== undefined
        ? 'superseded'
        : step?.replicated
          ? 'copied'
          : newest
            ? 'there'
            : 'none';
  return { job, state, newest: newest ?? null, refused, filesCopied, bytesCopied };
}

/** How far a copy is, for people: files, bytes, rate and the time that is left at this rate. */
export function progressLine(now: SyncProgress, tookMs: number): string {
  const files = `checkpoint ${now.checkpointId}: ${now.files} of ${now.totalFiles} files`;
  const bytes = `${formatByteSize(now.bytes)} of ${formatByteSize(now.totalBytes)}`;
  if (now.bytes <= 0 || tookMs < 500) return `${files}, ${bytes}`;
  const perMs = now.bytes / tookMs;
  const rate = `${formatByteSize(Math.round(perMs * 1_000))}/s`;
  const leftMs = Math.max(0, now.totalBytes - now.bytes) / perMs;
  return `${files}, ${bytes}, ${rate}, about ${formatMs(leftMs)} left`;
}

function resultLine({ job, state, newest, refused, filesCopied, bytesCopied }: Copied): string {
  const there = newest ? `checkpoint ${newest.checkpointId} is on the replica` : 'nothing is on the replica';
  const copied = filesCopied > 0 ? ` (${filesCopied} files, ${formatByteSize(bytesCopied)} copied)` : '';
  switch (state) {
    case 'copied':
    case 'there':
      return `${job}: ${there}${copied}`;
    case 'none':
      return `${job}: no complete checkpoint yet`;
    case 'refused':
      return [
        `${job}: ${there}${copied}; a newer one is refused`,
        ...refused.map((r) => `  checkpoint ${r.checkpointId}: ${r.code}: ${r.message}`),
      ].join('\n');
    case 'superseded':
      return `${job}: ${there}; Flink removed each newer checkpoint before its copy was complete`;
  }
}

function interrupted(job: string, last: SyncProgress | undefined, cause: unknown): ArgusError {
  const far = last ? `; ${last.files} of ${last.totalFiles} files of checkpoint ${last.checkpointId} were copied` : '';
  return new ArgusError('Interrupted', `${job}: the copy was interrupted${far}`, {
    cause,
    hint: 'nothing uses them before their checkpoint is complete; the same command goes on from there',
  });
}
