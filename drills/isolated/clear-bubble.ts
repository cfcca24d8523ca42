import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { UserQuotas } from '../../regions/kafka/kafka-admin.ts';
import { isRetryable } from '../../runbooks/engine/failures.ts';
import type { StepIo } from '../../runbooks/engine/step.ts';
import type { DrillNote } from '../../state/drill-notes.ts';
import type { DrillSite } from '../bubble-region.ts';
import { drillThings } from './inventory.ts';
import { untilAnswered } from './until-answered.ts';

/** What is cleared with: also where no step is under way. */
export type ClearIo = Pick<StepIo, 'clock' | 'signal' | 'progress' | 'check'>;

/** So long a cancellation may take before it is asked for again, and the job then is ended by force where there is a means. */
const patienceMs = 10_000;

/** Between two looks. */
const pauseMs = 500;

/** So long a start that was asked for may take to be seen. */
export const startUnderWayMs = 3_000;

const atOnce = 16;

/**
 * Ends one drill's jobs and removes its topics, groups, objects and uploaded jars, until none of them is seen any more: its jobs first,
 * since they write the others. Gives how many things were removed. `settleMs`: for so long none may be seen, where what
 * was asked for may still be under way. What doesn't answer is asked again; it ends by the signal alone.
 */
export async function clearBubble(site: DrillSite, run: string, io: ClearIo, settleMs = 0): Promise<number> {
  const removed = new Set<string>();
  let cancelledAt: number | undefined;
  let quietSince: number | undefined;
  for (;;) {
    try {
      const left = (await drillThings(site, io.signal)).filter((thing) => thing.run === run);
      for (const { kind, name } of left) removed.add(`${kind} ${name}`);
      const now = io.clock.monotonic();
      quietSince = left.length > 0 ? undefined : (quietSince ?? now);
      // What was under way when the jobs ended may arrive after all else was removed: it is looked twice.
      const enoughMs = Math.max(settleMs, removed.size === 0 ? 0 : pauseMs);
      if (quietSince !== undefined && now - quietSince >= enoughMs) return removed.size;
      const jobs = left.filter(({ kind }) => kind === 'flinkJob' || kind === 'kubernetes');
      io.check();
      if (jobs.length === 0 && left.length > 0) {
        io.progress(`removing ${left.length} things of ${run}`);
        await removeThings(site, left, io.signal);
      } else if (jobs.length > 0 && (cancelledAt === undefined || now - cancelledAt >= patienceMs)) {
        io.progress(`ending ${jobs.length} jobs of ${run}`);
        const again = cancelledAt !== undefined;
        cancelledAt = now;
        await endJobs(site, jobs, again, io.signal);
      }
    } catch (error) {
      if (!isRetryable(error) && !isGone(error)) throw error;
      io.signal.throwIfAborted();
      io.progress(describeError(error));
    }
    await io.clock.sleep(pauseMs, io.signal);
  }
}

const gone: ReadonlySet<string> = new Set(['JobMissing', 'KubernetesConflict', 'KubernetesObjectMissing']);

/** What was to be ended or removed went meanwhile, or is another by now: the next look tells. */
const isGone = (error: unknown) => error instanceof ArgusError && gone.has(error.code);

type Thing = Awaited<ReturnType<typeof drillThings>>[number];

/** An object whose job has ended could still begin it anew. */
async function endJobs(
  { flink, deployments }: DrillSite,
  jobs: readonly Thing[],
  forced: boolean,
  signal: AbortSignal,
) {
  await eachAtOnce(jobs, atOnce, async ({ kind, name }) => {
    if (kind === 'kubernetes') return deployments?.delete(name, { signal });
    await flink.cancel(name, { signal });
    if (forced) await flink.forceStop?.(name, { signal });
  });
}

async function removeThings({ kafka, objects, flink }: DrillSite, things: readonly Thing[], signal: AbortSignal) {
  const named = (kind: Thing['kind']) => things.filter((thing) => thing.kind === kind).map(({ name }) => name);
  const topics = named('topic');
  if (topics.length > 0) await kafka.deleteTopics(topics, { signal });
  const groups = named('group');
  const answers = groups.length > 0 ? await kafka.deleteGroups(groups, { signal }) : new Map<string, undefined>();
  await eachAtOnce(named('object'), atOnce, (key) => objects.delete(key, { signal }));
  for (const id of named('jar')) await flink.removeUpload?.(id, { signal });
  // A group that still has members is asked again at the next look.
  const refused = [...answers.values()].find((e) => e !== undefined && e.code !== 'GroupActive' && !isRetryable(e));
  if (refused !== undefined) throw refused;
}

const quotaKeys = ['consumer_byte_rate', 'producer_byte_rate'] as const;

/** Gives a principal back the limits that it had before the drill, where they differ, and sees them. Asks like {@link clearBubble}. */
export async function restoreQuota(
  { kafka }: Pick<DrillSite, 'kafka'>,
  quota: DrillNote['quota'],
  io: ClearIo,
): Promise<void> {
  if (quota === undefined) return;
  for (;;) {
    const now = await untilAnswered(() => kafka.describeQuotas(quota.principal, { signal: io.signal }), io);
    const changes: UserQuotas = Object.fromEntries(
      quotaKeys.flatMap((key) => {
        const before = quota.before[key] ?? null;
        return (now.get(key) ?? null) === before ? [] : [[key, before]];
      }),
    );
    if (Object.keys(changes).length === 0) return;
    await untilAnswered(() => {
      io.check();
      return kafka.alterQuotas(quota.principal, changes, { signal: io.signal });
    }, io);
    await io.clock.sleep(pauseMs, io.signal);
  }
}
