import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import { partitionKey } from '../domain/offsets.ts';
import type { Region } from '../regions/region.ts';
import { copyGroupOffsets } from '../replication/groups/copy-group-offsets.ts';
import type { Log } from './log.ts';
import { standbyEnds } from './standby-ends.ts';
import { every } from './supervise.ts';

export interface GroupLoopOptions {
  readonly groups: readonly string[];
  readonly topics: readonly string[];
  readonly source: Region;
  readonly target: Region;
  readonly clock: Clock;
  readonly log: Log;
  readonly onFailure?: () => void;
  readonly periodMs?: number;
}

/** Copies committed offsets from primary to standby every 5 s until the signal, clamped to what is mirrored. */
export async function runGroupLoop(options: GroupLoopOptions, signal: AbortSignal): Promise<void> {
  const { source, target, groups, clock, log, periodMs = 5_000 } = options;
  let said: string | undefined;
  const tick = async () => {
    try {
      const ends = await standbyEnds(target, options.topics, signal);
      const mirroredEnds = new Map(ends.map((e) => [partitionKey(e), e.offset]));
      const copies = await copyGroupOffsets(source.kafka, target.kafka, groups, mirroredEnds, { signal });
      const failed = copies.find((c) => c.outcome === 'failed' || c.outcome === 'active');
      if (failed) throw failed.error;
      said = undefined;
    } catch (error) {
      if (signal.aborted) return;
      options.onFailure?.();
      const why = describeError(error);
      if (why !== said) log.warn({}, `committed offsets can't be copied: ${why}; it is tried again`);
      said = why;
    }
  };
  await every(periodMs, tick, clock, signal);
}
