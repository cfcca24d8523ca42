import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { type RegionName, regionNames } from '../lab-info.ts';
import type { TrainingRun } from './score.ts';

/** `argus --json …`; an empty object when it printed none. */
export type AskJson = (args: readonly string[]) => Promise<Record<string, unknown>>;

interface ListedRun {
  readonly run: string;
  readonly runbook: string;
  readonly status: string;
  readonly startedAtMs: number;
}

/** The moves since then, the oldest first; undefined when the state was not read in time, which says nothing of anybody. */
export async function runsSince(json: AskJson, sinceMs: number): Promise<readonly TrainingRun[] | undefined> {
  const { runs } = (await json(['runs', 'list'])) as { readonly runs?: readonly ListedRun[] };
  const own = runs
    ?.filter((r) => r.startedAtMs > sinceMs && /^(failover|switchover|failback)$/.test(r.runbook))
    .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  if (own === undefined) return undefined;
  const told = await Promise.all(own.map((each) => runOf(json, each)));
  return told.some((r) => r === undefined) ? undefined : told.filter((r) => r !== undefined);
}

async function runOf(json: AskJson, listed: ListedRun): Promise<TrainingRun | undefined> {
  const { runbook, status, startedAtMs } = listed;
  const { run, details, report } = (await json(['runs', 'show', listed.run])) as {
    readonly run?: string;
    readonly details?: { readonly acceptUnfenced?: boolean };
    readonly report?: { readonly rtoMs?: number | null };
  };
  if (run === undefined) return undefined;
  const rtoMs = report?.rtoMs;
  const acceptedUnfenced = details?.acceptUnfenced === true;
  return { runbook, status, startedAtMs, acceptedUnfenced, ...(typeof rtoMs === 'number' ? { rtoMs } : {}) };
}

/**
 * The primary as the state has it, asked until it answers: `argus status` shows the configuration's word where the state is
 * late. `RolesUnknown` when it doesn't answer within `forMs`.
 */
export async function servingRegion(json: AskJson, signal: AbortSignal, forMs = 30_000): Promise<RegionName> {
  const pauseMs = Math.min(1_000, forMs);
  for (const deadline = Date.now() + forMs; Date.now() < deadline; await sleep(pauseMs, undefined, { signal })) {
    const { roles } = (await json(['role', 'show'])) as { readonly roles?: { readonly primary: string } | null };
    const serving = regionNames.find((n) => n === roles?.primary);
    if (serving !== undefined) return serving;
  }
  throw new ArgusError('RolesUnknown', 'the state does not tell which region serves');
}
