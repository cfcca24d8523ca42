import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../domain/offsets.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import { type VerifiedRange, verifyTopics } from '../replication/topics/verify.ts';
import { type MirrorAudit, putMirrorAudit, readMirrorAudit } from '../state/mirror-audit.ts';
import type { Log } from './log.ts';
import { every } from './supervise.ts';

export interface AuditLoopOptions {
  readonly source: Region;
  readonly target: Region;
  /** What is mirrored now. */
  readonly partitions: () => readonly TopicPartition[];
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly onFound?: (batches: number, differences: number) => void;
  readonly periodMs?: number;
}

/** Partitions of a round, and ranges over all of them: a few thousand records, read on both sides. */
const partitionsAtOnce = 4;
const rangesAtOnce = 4;
const roundMs = 20_000;

/** Compares random ranges of what is mirrored on both sides, every 15 s until the signal; counts, and tells differences. */
export async function runAuditLoop(options: AuditLoopOptions, signal: AbortSignal): Promise<void> {
  const { source, target, state, clock, log, periodMs = 15_000 } = options;
  const told = new Set<string>();
  let said: string | undefined;
  let audit = await readMirrorAudit(state, source.name, { signal });
  const tick = async () => {
    try {
      const results = await sample(options, AbortSignal.any([signal, AbortSignal.timeout(roundMs)]));
      if (results.length === 0) return;
      audit = addResults(audit, results, clock.now());
      for (const r of results) {
        const where = `${partitionKey(r)} at offset ${r.difference?.offset}`;
        if (!r.difference || told.has(where)) continue;
        told.add(where);
        log.error({}, `${source.name} and ${target.name} hold different records: ${where}: ${r.difference.what}`);
      }
      options.onFound?.(batchesOf(results), results.filter((r) => r.difference).length);
      await putMirrorAudit(state, source.name, audit, { signal });
      said = undefined;
    } catch (error) {
      if (signal.aborted) return;
      // A side that is away is told by whoever mirrors.
      const why = describeError(error);
      if (why !== said) log.debug({}, `both logs can't be compared now: ${why}`);
      said = why;
    }
  };
  await every(periodMs, tick, clock, signal);
}

async function sample(options: AuditLoopOptions, signal: AbortSignal): Promise<readonly VerifiedRange[]> {
  const { source, target, clock } = options;
  const partitions = chosen(options.partitions());
  if (partitions.length === 0) return [];
  const compacted = new Set<string>();
  for (const topic of new Set(partitions.map((p) => p.topic))) {
    for (const side of [source, target]) {
      const configs = await side.kafka.topicConfigs(topic, { signal });
      if (configs.get('cleanup.policy')?.includes('compact')) compacted.add(topic);
    }
  }
  const sides = { source: source.brokers, target: target.brokers };
  return verifyTopics({ ...sides, partitions, compacted, sample: rangesAtOnce, clock, signal });
}

function chosen(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
  const rest = [...partitions];
  const some: TopicPartition[] = [];
  while (rest.length > 0 && some.length < partitionsAtOnce) {
    some.push(...rest.splice(Math.floor(Math.random() * rest.length), 1));
  }
  return some;
}

const batchesOf = (results: readonly VerifiedRange[]) => Number(results.reduce((sum, r) => sum + r.batches, 0n));

/** What was found so far and in this round. Pure. */
export function addResults(
  before: MirrorAudit | undefined,
  results: readonly VerifiedRange[],
  atMs: number,
): MirrorAudit {
  const differing = results.filter((r) => r.difference);
  const newest = differing.at(-1);
  const last = newest?.difference && {
    topic: newest.topic,
    partition: newest.partition,
    offset: newest.difference.offset.toString(),
    what: newest.difference.what,
    atMs,
  };
  return {
    ...(before ?? { sinceMs: atMs }),
    atMs,
    batches: (before?.batches ?? 0) + batchesOf(results),
    differences: (before?.differences ?? 0) + differing.length,
    ...(last ? { last } : {}),
  };
}
