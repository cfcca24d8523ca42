import type { JobConfig } from '../../../domain/config.ts';
import { endOf, type LogRange, type PartitionOffset, partitionKey } from '../../../domain/offsets.ts';
import { evidence, type StepWords } from '../../failover/failover-step.ts';
import type { SwitchoverContext, SwitchoverFacts } from '../context.ts';
import { hasTakenOver, over, type SwitchoverStep } from '../switchover-step.ts';
import { mirroredPartitions } from './deny-writers.ts';

/** A denial that wasn't tried at every leader is believed when no log has grown for so long. */
const stillMs = 3_000;

/** Time in which coordinators abort what producers have left open: Kafka's default is 60 s. */
const openTransactionMs = 90_000;

/**
 * Waits until the logs that the producers wrote stand still and the jobs have committed that they read them to the end.
 * A job that is late, or commits nothing, is stopped where it is after `catchUpMs`: what it has not read is mirrored, and
 * read on the standby.
 */
export function awaitCatchUp(words: StepWords, catchUpMs: number): SwitchoverStep {
  let stillSince: number | undefined;
  let lastEnds: string | undefined;
  let beganAt: number | undefined;
  return {
    id: 'await-catch-up',
    ...words,
    waitsFor: 'Flink of the primary',
    timeoutMs: catchUpMs + openTransactionMs,
    pollMs: 300,
    onFailure: {
      kind: 'stop',
      hint: 'somebody still writes to the primary: find out who, then run `argus switchover` again',
    },
    async observe(context, _facts, io) {
      return (await hasTakenOver(context, io.signal)) ? over : { kind: 'todo' };
    },
    async act() {
      // Nothing to do but to look.
    },
    async verify(context, facts, io) {
      const { kafka } = context.primary;
      const now = io.clock.monotonic();
      beganAt ??= now;
      const inputs = await inputRanges(context, io.signal);
      const ends = inputs.map((r) => `${partitionKey(r)}@${r.logEndOffset}`).join();
      if (ends !== lastEnds) [lastEnds, stillSince] = [ends, now];
      const wantedStill = facts.producersDenied === 'proven' ? 0 : stillMs;
      if (now - (stillSince ?? now) < wantedStill) return { kind: 'pending', waitingFor: 'the logs to stand still' };
      // Whoever began one can't end it any more: its coordinator aborts it, which leaves a marker that must be mirrored.
      const [held] = await context.heldAtPrimary(inputs, io.signal);
      if (held !== undefined) {
        return { kind: 'pending', waitingFor: `the end of a producer's transaction in ${partitionKey(held)}` };
      }
      const behind: SwitchoverFacts['behind'][number][] = [];
      for (const { config } of context.jobs) {
        const committed = await kafka.groupOffsets(config.consumerGroup, { signal: io.signal });
        const left = unreadBy(config, inputs, committed);
        if (left.length === 0) continue;
        const found = await context.lookForRecords(left, io.signal);
        if (found.every((f) => f.records === 0)) continue;
        behind.push({ job: config.name, offsets: left.reduce((sum, r) => sum + size(r), 0n).toString() });
      }
      if (behind.length > 0 && now - beganAt < catchUpMs && (await anyLives(context, io.signal))) {
        const who = behind.map((b) => `${b.job} to read ${b.offsets} more offsets`).join(', ');
        return { kind: 'pending', waitingFor: who };
      }
      return { kind: 'done', evidence: evidence({ ends: inputs.map(endOf), behind }), facts: { behind } };
    },
  };
}

const size = (r: LogRange) => r.logEndOffset - r.logStartOffset;

/** Of mirrored topics that no job writes: those end where the producers were stopped. */
async function inputRanges(context: SwitchoverContext, signal: AbortSignal): Promise<readonly LogRange[]> {
  const written = new Set(context.jobs.flatMap((j) => j.config.writes ?? []));
  const partitions = (await mirroredPartitions(context, signal)).filter((p) => !written.has(p.topic));
  return partitions.length === 0 ? [] : context.primary.kafka.logRanges(partitions, { signal });
}

/** Nobody reads when all have been stopped by an earlier run. */
async function anyLives(context: SwitchoverContext, signal: AbortSignal): Promise<boolean> {
  const names = new Set(context.jobs.map((j) => j.config.name));
  const jobs = await context.primary.flink.list({ signal });
  return jobs.some((j) => names.has(j.name) && j.state === 'RUNNING');
}

/**
 * What a job has still to read, by what its group has committed: ranges from there to the end. Pure. A partition for
 * which nothing is committed says nothing, and is not waited for.
 */
export function unreadBy(
  job: Pick<JobConfig, 'reads'>,
  inputs: readonly LogRange[],
  committed: readonly PartitionOffset[],
): readonly LogRange[] {
  const at = new Map(committed.map((c) => [partitionKey(c), c.offset]));
  return inputs.flatMap((range) => {
    if (job.reads !== undefined && !job.reads.includes(range.topic)) return [];
    const from = at.get(partitionKey(range));
    if (from === undefined || from < 0n || from >= range.logEndOffset) return [];
    return [from < range.logStartOffset ? range : { ...range, logStartOffset: from }];
  });
}
