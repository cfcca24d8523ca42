import { isDeepStrictEqual } from 'node:util';
import { ArgusError } from '../../../domain/errors.ts';
import { divergedTopics, type WantedRange, wantedRanges } from '../../../replication/orphans/divergence.ts';
import type { RescuedPartition } from '../../../replication/orphans/rescue.ts';
import { putRescued, type Rescued, readRescued } from '../../../state/rescued.ts';
import { evidence, type StepWords } from '../../failover/failover-step.ts';
import type { FailbackContext, FailbackFacts, FailbackStep } from '../context.ts';

/** A log may be large: what was kept when the time is over is not kept again by the next run. */
const timeoutMs = 12 * 3_600_000;

/** Keeps on the active side what only the old primary has, then reads it back and compares each record with its original. */
export function rescueOrphans(words: StepWords): FailbackStep {
  return {
    id: 'rescue-orphans',
    ...words,
    timeoutMs,
    onFailure: { kind: 'stop', hint: 'nothing was deleted; run `argus failback` again: it goes on where this one was' },
    async observe(context, facts, io) {
      if (wantedRanges(facts.found ?? []).length > 0) return { kind: 'todo' };
      const before = await readRescued(context.state, context.roles.epoch, io);
      const nothing = { promotion: context.roles.epoch, region: context.standby.name, keptBy: context.primary.name };
      const rescued = before ?? { ...nothing, to: context.keepIn, run: context.run, atMs: 0, topics: {} };
      return { kind: 'done', evidence: evidence({ now: 'nothing', ...totals(rescued) }), facts: { rescued } };
    },
    async act(context, facts, io) {
      await context.rescue(facts.found ?? [], () => io.check(), io.progress, io.signal);
    },
    async verify(context, facts, io) {
      io.progress('reading back what is kept');
      const verdict = await context.checkRescue(facts.found ?? [], io.signal);
      if (verdict.kind === 'differs') {
        const { topic, partition, at, what } = verdict;
        const message = `the record at ${topic}-${partition} ${at} of ${context.standby.name}: ${what}`;
        return { kind: 'failed', error: { code: 'RescueDiffers', message } };
      }
      const before = await readRescued(context.state, context.roles.epoch, io);
      const rescued = withVerified(context, before, facts.found ?? [], verdict.partitions);
      return { kind: 'done', evidence: evidence({ ...totals(rescued), topics: rescued.topics }), facts: { rescued } };
    },
  };
}

/** Notes what is kept, so that it is known for good: from then on the old primary's own may be deleted. */
export function noteRescue(words: StepWords): FailbackStep {
  return {
    id: 'note-rescue',
    ...words,
    timeoutMs: 30_000,
    onFailure: { kind: 'stop', hint: 'is the state reachable? then run `argus failback` again' },
    async observe(context, facts, io) {
      const noted = await readRescued(context.state, context.roles.epoch, io);
      const wanted = factOf(facts);
      const nothing = Object.keys(wanted.topics).length === 0;
      return nothing || (noted && sameRanges(noted, wanted)) ? { kind: 'done', evidence: 'noted' } : { kind: 'todo' };
    },
    async act(context, facts, io) {
      await putRescued(context.state, factOf(facts), io);
    },
    async verify(context, facts, io) {
      const noted = await readRescued(context.state, context.roles.epoch, io);
      if (noted && sameRanges(noted, factOf(facts))) return { kind: 'done', evidence: 'noted' };
      return { kind: 'pending', waitingFor: 'the note of what was rescued' };
    },
  };
}

function factOf({ rescued }: Partial<FailbackFacts>): Rescued {
  if (rescued === undefined) throw new ArgusError('NotRescued', 'it is not known what was rescued');
  return rescued;
}

/** What was kept before, with the partitions that this run has verified in place of theirs. Pure. */
function withVerified(
  context: FailbackContext,
  before: Rescued | undefined,
  found: FailbackFacts['found'],
  verified: readonly RescuedPartition[],
): Rescued {
  const topics: Record<string, Rescued['topics'][string]> = { ...before?.topics };
  for (const [topic, partitions] of Map.groupBy(verified, (p) => p.topic)) {
    topics[topic] = {
      partitions: partitions.map(({ topic: _topic, ranges, ...counts }) => {
        const gone = found.find((d) => d.topic === topic && d.partition === counts.partition)?.gone;
        return { ...counts, ranges: ranges.map(plain), ...(gone && { gone }) };
      }),
      where: context.describeKept(topic),
      verifiedAtMs: context.clock.now(),
      reseeded: divergedTopics(found).includes(topic),
    };
  }
  return {
    promotion: context.roles.epoch,
    region: context.standby.name,
    keptBy: context.primary.name,
    to: context.keepIn,
    run: context.run,
    atMs: context.clock.now(),
    topics,
  };
}

const plain = ({ from, to, reason }: WantedRange) => ({ from, to, reason });

/** Records kept since the promotion. Pure. */
export function totals({ topics }: Rescued): {
  readonly orphans: bigint;
  readonly older: bigint;
  readonly aborted: bigint;
} {
  const partitions = Object.values(topics).flatMap((t) => t.partitions);
  return {
    orphans: partitions.reduce((n, p) => n + p.orphans, 0n),
    older: partitions.reduce((n, p) => n + p.older, 0n),
    aborted: partitions.reduce((n, p) => n + p.aborted, 0n),
  };
}

/** Whether both say the same of every partition; who noted it, and when, does not count. */
function sameRanges(a: Rescued, b: Rescued): boolean {
  const of = ({ topics }: Rescued) =>
    Object.fromEntries(Object.entries(topics).map(([topic, { partitions }]) => [topic, partitions]));
  return isDeepStrictEqual(of(a), of(b));
}
