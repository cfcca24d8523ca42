import type { Clock } from '../../domain/clock.ts';
import type { Config } from '../../domain/config.ts';
import { describeError } from '../../domain/errors.ts';
import { endOf, type PartitionOffset, partitionKey, partitionsOf } from '../../domain/offsets.ts';
import type { Region } from '../../regions/region.ts';
import type { FailoverContext } from '../failover/context.ts';

/** The two sides after replication was turned round, as far as it is watched whether the standby follows. */
export interface ReturnSides {
  readonly config: Config;
  readonly primary: Pick<Region, 'name' | 'kafka'>;
  readonly standby: Pick<Region, 'name' | 'kafka'>;
  readonly chooseRecoveryPoints: FailoverContext['chooseRecoveryPoints'];
  readonly clock: Clock;
}

/** Whether the old primary holds all that the active side has, so that the roles can be switched back. */
export type InSync =
  | { readonly kind: 'ready'; readonly lagMs: number; readonly points: Readonly<Record<string, number>> }
  | { readonly kind: 'waiting'; readonly why: string; readonly missing: number | null };

/** What the active side has now has to be on the standby within this time. */
const lagBoundMs = 15_000;

/** Watches how the standby follows: `look` again and again until it is ready. Changes nothing. */
export function watchReturn(sides: ReturnSides): { look(signal: AbortSignal): Promise<InSync> } {
  const { config, primary, standby, clock } = sides;
  /** Ends of the active side that the standby has to reach, and when they were seen. */
  let goal: { readonly atMs: number; readonly ends: readonly PartitionOffset[] } | undefined;

  async function endsOf(side: Pick<Region, 'kafka'>, signal: AbortSignal): Promise<readonly PartitionOffset[]> {
    const there = await side.kafka.describeTopics(config.topics, { signal });
    const partitions = partitionsOf(there.values());
    return partitions.length === 0 ? [] : (await side.kafka.logRanges(partitions, { signal })).map(endOf);
  }

  return {
    async look(signal) {
      try {
        goal ??= { atMs: clock.monotonic(), ends: await endsOf(primary, signal) };
        const ends = await endsOf(standby, signal);
        const missing = missingOf(goal.ends, ends);
        if (missing > 0n) {
          const why = `${standby.name} lacks ${missing} offsets that ${primary.name} had ${Math.round((clock.monotonic() - goal.atMs) / 1_000)} s ago`;
          return { kind: 'waiting', why, missing: Number(missing) };
        }
        const lagMs = clock.monotonic() - goal.atMs;
        goal = undefined;
        if (lagMs > lagBoundMs) return { kind: 'waiting', why: 'it catches up: another look', missing: 0 };
        const jobs = config.jobs.map((job) => ({ config: job }));
        const choices = await sides.chooseRecoveryPoints(jobs, ends, signal);
        const points: Record<string, number> = {};
        for (const { name } of config.jobs) {
          const choice = choices.get(name);
          if (choice?.kind !== 'chosen') {
            const newest = choice?.rejected[0]?.message;
            const why = `no checkpoint of ${name} is usable on ${standby.name} yet${newest === undefined ? '' : `: ${newest}`}`;
            return { kind: 'waiting', why, missing: 0 };
          }
          points[name] = choice.point.checkpointId;
        }
        return { kind: 'ready', lagMs: Math.round(lagMs), points };
      } catch (error) {
        signal.throwIfAborted();
        return { kind: 'waiting', why: describeError(error), missing: null };
      }
    },
  };
}

/** Offsets that `ends` lacks of `goal`. Pure. */
export function missingOf(goal: readonly PartitionOffset[], ends: readonly PartitionOffset[]): bigint {
  const there = new Map(ends.map((e) => [partitionKey(e), e.offset]));
  return goal.reduce((sum, g) => {
    const behind = g.offset - (there.get(partitionKey(g)) ?? 0n);
    return behind > 0n ? sum + behind : sum;
  }, 0n);
}
