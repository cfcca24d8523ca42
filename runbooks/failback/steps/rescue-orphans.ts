import { isDeepStrictEqual } from 'node:util';
import { ArgusError } from '../../../domain/errors.ts';
import type { TopicPartition } from '../../../domain/offsets.ts';
import {
  divergedTopics,
  type OffsetRange,
  type WantedRange,
  wantedRanges,
} from '../../../replication/orphans/divergence.ts';
import { type RescuedPartition, remaining, unionOf } from '../../../replication/orphans/rescue.ts';
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
      const before = await readRescued(context.state, context.roles.epoch, io);
      if (wantedRanges(facts.found ?? []).length > 0) return keptElsewhere(context, before) ?? { kind: 'todo' };
      const nothing = { promotion: context.roles.epoch, region: context.standby.name, keptBy: context.primary.name };
      const rescued = before ?? { ...nothing, to: context.keepIn, run: context.run, atMs: 0, topics: {} };
      return {
        kind: 'done',
        evidence: evidence({ now: 'nothing', ...totals(rescued) }),
        facts: { rescued, verified: [] },
      };
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
      const verified = verdict.partitions;
      const kept = await Promise.all(verified.map((p) => withEarlier(context, before, p, io.signal)));
      const rescued = withKept(context, before, facts.found ?? [], kept);
      const seen = evidence({ ...totals(rescued), topics: rescued.topics });
      return { kind: 'done', evidence: seen, facts: { rescued, verified } };
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

/** One note names one place: what is kept in two could not be found again. */
function keptElsewhere({ keepIn }: FailbackContext, before: Rescued | undefined) {
  if (before === undefined || before.to === keepIn || Object.keys(before.topics).length === 0) return undefined;
  const message = `an earlier run has kept orphans of this promotion as ${before.to}, not ${keepIn}`;
  const hint = `run \`argus failback --to ${before.to}\``;
  return { kind: 'refused', error: { code: 'KeptElsewhere', message, hint } } as const;
}

const earlierOf = (before: Rescued | undefined, { topic, partition }: TopicPartition) =>
  before?.topics[topic]?.partitions.find((p) => p.partition === partition);

/** What this run has verified of a partition, with what runs before it have kept of the same and is gone since. */
async function withEarlier(
  context: FailbackContext,
  before: Rescued | undefined,
  verified: RescuedPartition,
  signal: AbortSignal,
): Promise<RescuedPartition> {
  const now = unionOf(verified.ranges);
  const all = unionOf([...(earlierOf(before, verified)?.ranges ?? []), ...now]);
  return isDeepStrictEqual(all, now) ? verified : context.countKept(verified, all, signal);
}

/** What was kept before, with the partitions that this run has looked at in place of theirs. Pure. */
function withKept(
  context: FailbackContext,
  before: Rescued | undefined,
  found: FailbackFacts['found'],
  kept: readonly RescuedPartition[],
): Rescued {
  const topics: Record<string, Rescued['topics'][string]> = { ...before?.topics };
  for (const [topic, partitions] of Map.groupBy(kept, (p) => p.topic)) {
    const earlier = before?.topics[topic];
    const looked = partitions.map((p) => {
      const { topic: _topic, ranges, ...counts } = p;
      const now = found.find((d) => d.topic === topic && d.partition === p.partition)?.gone;
      const gone = now === undefined ? earlierOf(before, p)?.gone : neverKept(p, now);
      return { ...counts, ranges: ranges.map(plain), ...(gone && { gone }) };
    });
    const others = (earlier?.partitions ?? []).filter((e) => !looked.some((p) => p.partition === e.partition));
    topics[topic] = {
      partitions: [...others, ...looked].sort((a, b) => a.partition - b.partition),
      where: context.describeKept(topic),
      verifiedAtMs: context.clock.now(),
      reseeded: earlier?.reseeded === true || divergedTopics(found).includes(topic),
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

/** Of the offsets that the old primary has deleted by itself, those that no run had kept before. */
function neverKept({ topic, partition, ranges }: RescuedPartition, gone: OffsetRange): OffsetRange | undefined {
  const held = ranges.map(({ from, to, reason }) => ({ reason, first: from, last: to - 1n }));
  const left = remaining([{ topic, partition, ...gone, reason: 'orphan' }], held);
  const [first, last] = [left[0], left.at(-1)];
  return first && last && { from: first.from, to: last.to };
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
