import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import { type NamePatterns, selectNames } from '../domain/name-patterns.ts';
import { partitionKey } from '../domain/offsets.ts';
import type { Region } from '../regions/region.ts';
import { copyGroupOffsets } from '../replication/groups/copy-group-offsets.ts';
import type { Log } from './log.ts';
import { standbyEnds } from './standby-ends.ts';
import { every } from './supervise.ts';

export interface GroupLoopOptions {
  /** Copied always. */
  readonly groups: readonly string[];
  /** Others, by name. */
  readonly patterns?: NamePatterns | undefined;
  readonly topics: () => readonly string[];
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
  let unmatched = '';
  const wanted = async (): Promise<readonly string[]> => {
    if (!options.patterns) return groups;
    const found = selectNames(await source.kafka.listGroups({ signal }), options.patterns);
    const none = found.unmatched.join(', ');
    if (none !== unmatched && none !== '') log.warn({}, `no group in ${source.name} matches ${none} of \`groups\``);
    unmatched = none;
    return [...new Set([...groups, ...found.names])];
  };
  const tick = async () => {
    try {
      const ends = await standbyEnds(target, options.topics(), signal);
      const mirroredEnds = new Map(ends.map((e) => [partitionKey(e), e.offset]));
      const copies = await copyGroupOffsets(source.kafka, target.kafka, await wanted(), mirroredEnds, { signal });
      const failed = copies.filter((c) => c.outcome === 'failed' || c.outcome === 'active');
      if (failed[0]) {
        const others = failed.length === 1 ? '' : ` (and ${failed.length - 1} other groups)`;
        throw new Error(`${describeError(failed[0].error)}${others}`, { cause: failed[0].error });
      }
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
