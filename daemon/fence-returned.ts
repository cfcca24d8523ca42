import { randomBytes } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { describeError } from '../domain/errors.ts';
import type { Roles } from '../domain/roles.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import { runSteps } from '../runbooks/engine/run.ts';
import {
  describeReturned,
  isToBeQuiet,
  lookAtReturned,
  type ReturnedContext,
  returnedSteps,
} from '../runbooks/fencing/fence-returned.ts';
import { openJournal, runId } from '../state/journal.ts';
import { readKafkaFence } from '../state/kafka-fence.ts';
import type { Lease } from '../state/lease.ts';
import type { Log } from './log.ts';
import { every } from './supervise.ts';

export interface FenceReturnedOptions {
  readonly config: Pick<Config, 'topics' | 'jobs'>;
  readonly regions: ReadonlyMap<string, Region>;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly holder: string;
  readonly roles: () => Roles | undefined;
  /** The right to mirror: one process at a time keeps a region quiet. */
  readonly lease: Lease;
  /** Whether the region's fence was found in force at a look; undefined: none has to be, it has none, or nobody can tell. */
  readonly onLook?: (fence: { readonly region: string; readonly holds: boolean } | undefined) => void;
  readonly periodMs?: number;
}

/** After a run that failed; doubled with each, so that the journal isn't filled. */
const firstPauseMs = 2_000;
const longestPauseMs = 300_000;

/**
 * Keeps the region that lost the role of primary quiet, until the signal: as soon as it answers, its writers are denied
 * and its jobs stopped, as a run of its own in the journal. It needs no right to act on the regions, since it only ever
 * shuts what the roles in force say is not primary; a run that opens the region says so first.
 */
export async function fenceReturned(options: FenceReturnedOptions, signal: AbortSignal): Promise<void> {
  const { regions, state, clock, log, periodMs = 1_000, onLook = () => undefined } = options;
  let said: string | undefined;
  let pauseMs = firstPauseMs;
  /** The fence was set up, but not seen to hold. */
  let unseen = false;
  let notBefore = clock.monotonic();
  const tick = async () => {
    if (clock.monotonic() < notBefore) return;
    const roles = options.roles();
    const region = roles === undefined ? undefined : regions.get(roles.standby);
    if (roles?.run === undefined || region === undefined) return onLook(undefined);
    try {
      const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) };
      const { openedFor } = (await readKafkaFence(state, region.name, call)) ?? {};
      if (!isToBeQuiet(region.name, roles, openedFor)) return onLook(undefined);
      const run = runId(clock.now(), 'fence', randomBytes(2).toString('hex'));
      const context: ReturnedContext = { ...options, region, roles, run };
      const sight = await lookAtReturned(context, signal);
      const again = unseen && sight.missingRules !== undefined ? 'its fence was not seen to hold' : undefined;
      const what = describeReturned(sight) ?? again;
      if (what === undefined)
        return onLook(sight.missingRules === 0 ? { region: region.name, holds: true } : undefined);
      log.warn({ region: region.name, run }, `${region.name} is back and not primary, but ${what}: it is fenced`);
      onLook({ region: region.name, holds: false });
      const outcome = await fence(options, context, signal);
      if (outcome === 'done') onLook(undefined);
      if (outcome === 'done') log.info({ region: region.name, run }, `${region.name} is fenced`);
      else log.warn({ region: region.name, run }, `${region.name} could not be fenced: it is tried again`);
      said = undefined;
      unseen = outcome !== 'done';
      pauseMs = outcome === 'done' ? firstPauseMs : Math.min(2 * pauseMs, longestPauseMs);
      notBefore = clock.monotonic() + (outcome === 'done' ? 0 : pauseMs);
    } catch (error) {
      if (signal.aborted) return;
      onLook(undefined);
      const why = describeError(error);
      if (why !== said) log.warn({ region: region.name }, `${region.name} can't be looked at: ${why}`);
      said = why;
    }
  };
  await every(periodMs, tick, clock, signal);
}

async function fence(
  { state, clock, holder, lease }: FenceReturnedOptions,
  context: ReturnedContext,
  signal: AbortSignal,
): Promise<'done' | 'failed'> {
  const { region, roles, run } = context;
  const result = await runSteps({
    steps: returnedSteps(context),
    context,
    runbook: 'fence',
    by: holder,
    details: { region: region.name, rolesEpoch: roles.epoch, primary: roles.primary },
    epoch: lease.epoch,
    lease,
    journal: openJournal(state, { run, epoch: lease.epoch }, clock),
    clock,
    signal,
    resumeHint: 'the daemon tries it again by itself',
  });
  return result.outcome === 'done' && result.steps.every((s) => s.status !== 'failed') ? 'done' : 'failed';
}
