import { eachAtOnce } from '../../domain/each-at-once.ts';
import type { UserQuotas } from '../../regions/kafka/kafka-admin.ts';
import type { StepIo } from '../../runbooks/engine/step.ts';
import type { DrillNote } from '../../state/drill-notes.ts';
import type { DrillSite } from '../bubble-region.ts';
import { drillThings } from './inventory.ts';

/** What is cleared with: also where no step is under way. */
export type ClearIo = Pick<StepIo, 'clock' | 'signal' | 'progress' | 'check'>;

/** So long a cancellation may take before it is asked for again, and the job then is ended by force where there is a means. */
const patienceMs = 10_000;

/** Between two looks. */
const pauseMs = 500;

const atOnce = 16;

/**
 * Ends one drill's jobs and removes its topics, groups and objects, until none of them is seen any more: its jobs first,
 * since they write the others. Gives how many things were removed. `settleMs`: for so long none may be seen, where what
 * was asked for may still be under way. Ends by the signal alone.
 */
export async function clearBubble(site: DrillSite, run: string, io: ClearIo, settleMs = 0): Promise<number> {
  const removed = new Set<string>();
  let cancelledAt: number | undefined;
  let forced = false;
  let quietSince: number | undefined;
  for (;;) {
    const left = (await drillThings(site, io.signal)).filter((thing) => thing.run === run);
    if (left.length > 0) quietSince = undefined;
    else {
      quietSince ??= io.clock.monotonic();
      // What was under way when the jobs ended may arrive after all else was removed: it is looked twice.
      const enoughMs = Math.max(settleMs, removed.size === 0 ? 0 : pauseMs);
      if (io.clock.monotonic() - quietSince >= enoughMs) return removed.size;
    }
    for (const { kind, name } of left) removed.add(`${kind} ${name}`);
    const named = (kind: string) => left.filter((thing) => thing.kind === kind).map(({ name }) => name);
    const jobs = named('flinkJob');
    io.check();
    if (jobs.length > 0) {
      const now = io.clock.monotonic();
      if (cancelledAt === undefined || now - cancelledAt >= patienceMs) {
        io.progress(`ending ${jobs.length} jobs of ${run}`);
        forced = cancelledAt !== undefined;
        cancelledAt = now;
        await eachAtOnce(jobs, atOnce, async (id) => {
          await site.flink.cancel(id, { signal: io.signal });
          if (forced) await site.flink.forceStop?.(id, { signal: io.signal });
        });
      }
    } else if (left.length > 0) {
      io.progress(`removing ${left.length} things of ${run}`);
      const topics = named('topic');
      if (topics.length > 0) await site.kafka.deleteTopics(topics, { signal: io.signal });
      const groups = named('group');
      // One that still has members is asked again at the next look.
      if (groups.length > 0) await site.kafka.deleteGroups(groups, { signal: io.signal });
      await eachAtOnce(named('object'), atOnce, (key) => site.objects.delete(key, { signal: io.signal }));
    }
    await io.clock.sleep(pauseMs, io.signal);
  }
}

const quotaKeys = ['consumer_byte_rate', 'producer_byte_rate'] as const;

/** Gives a principal back the limits that it had before the drill, where they differ. */
export async function restoreQuota(
  { kafka }: Pick<DrillSite, 'kafka'>,
  quota: DrillNote['quota'],
  io: Pick<StepIo, 'signal' | 'check'>,
): Promise<void> {
  if (quota === undefined) return;
  const now = await kafka.describeQuotas(quota.principal, { signal: io.signal });
  const changes: UserQuotas = Object.fromEntries(
    quotaKeys.flatMap((key) => {
      const before = quota.before[key] ?? null;
      return (now.get(key) ?? null) === before ? [] : [[key, before]];
    }),
  );
  if (Object.keys(changes).length === 0) return;
  io.check();
  await kafka.alterQuotas(quota.principal, changes, { signal: io.signal });
}
