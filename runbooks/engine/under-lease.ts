import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { inspectRun, openJournal } from '../../state/journal.ts';
import { acquireLease, type HolderProcess, type Lease, type LeaseDocument } from '../../state/lease.ts';
import { foldRun } from '../../state/run-record.ts';
import { readStopRequest } from '../../state/stop-requests.ts';
import { type Hook, withHooks } from '../hooks/hook-steps.ts';
import { type RunOptions, type RunResult, runSteps } from './run.ts';

/** A dead run's lease is free after this long. */
const leaseTtlMs = 10_000;

/** How long requests that a dead run had sent may be under way: who takes over waits for this, too. */
const requestGraceMs = 5_000;

/** Which process this is, and whether another one on the same system is gone: known at the edge alone. */
export interface LocalProcesses {
  /** Undefined where it can't be told so that others could look for it. */
  own(): HolderProcess | undefined;
  /** True only when it is certain: a process elsewhere, in other namespaces or paused is not gone. */
  isGone(process: HolderProcess): boolean;
}

/** A run as its command starts it: what the lease gives is added here. */
export interface LeasedRun<C, F>
  extends Omit<RunOptions<C, F>, 'context' | 'epoch' | 'lease' | 'journal' | 'askedToStop'> {
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly run: string;
  /** `user@host`, process id: stands in the lease. */
  readonly holder: string;
  /** By them a run that died on this very system is taken over without waiting for its lease. Absent: its lease is waited for. */
  readonly processes?: LocalProcesses | undefined;
  /** In the lease, for people; the runbook's name unless given. */
  readonly purpose?: string;
  /**
   * The lease when this was planned (`leaseMark`): if anybody took it since, or was at work then, what the plan relies
   * on may be gone, and the run is refused (`AnotherActed`, exit code 3). Absent: no matter.
   */
  readonly plannedAtLease?: string;
  /** What is called between the steps; `from` and `to` are told to it. Absent: nothing. */
  readonly hooks?: { readonly call: readonly Hook[]; readonly from: string; readonly to: string };
  /** What the steps get, once the lease's epoch is known. */
  readonly context: (epoch: number) => C;
  /** Called while another's lease is watched for signs of life. */
  readonly onWaiting?: (message: string) => void;
}

/**
 * Runs a runbook's steps under the lease, and gives it back. A lease that somebody alive holds is `LeaseHeld` (exit code
 * 3), which says who, since when and at which step; a dead run's is taken over. From then on nothing is thrown.
 */
export async function runUnderLease<C, F>(options: LeasedRun<C, F>): Promise<RunResult<F>> {
  const { state, clock, run, holder, processes, purpose, plannedAtLease, hooks, context, onWaiting, signal, ...rest } =
    options;
  const process = processes?.own();
  onWaiting?.('taking the lease');
  const answer = await acquireLease(
    state,
    {
      holder,
      purpose: purpose ?? options.runbook,
      run,
      ttlMs: leaseTtlMs,
      waitMs: 2 * leaseTtlMs + requestGraceMs,
      patienceMs: ({ released }) => (released === true ? 0 : requestGraceMs),
      ...(process === undefined ? {} : { process }),
      ...(processes === undefined ? {} : { isGone: processes.isGone }),
    },
    clock,
    signal === undefined ? {} : { signal },
  );
  if (answer.kind === 'held') throw await leaseHeld(state, answer.by, signal);
  const { lease, over } = answer;
  if (plannedAtLease !== undefined && over !== plannedAtLease) {
    await giveBack(lease);
    throw new ArgusError(
      'AnotherActed',
      `somebody else has acted since this was planned (lease epoch ${lease.epoch})`,
      {
        hint: '`argus runs list` shows who and what; then run the command again: it looks anew',
        exitCode: 3,
      },
    );
  }
  const stopRenewing = lease.keepRenewed();
  const result = await runSteps({
    ...rest,
    ...(hooks === undefined
      ? {}
      : {
          steps: withHooks(rest.steps, hooks.call, {
            run,
            runbook: rest.runbook,
            epoch: lease.epoch,
            from: hooks.from,
            to: hooks.to,
          }),
        }),
    context: context(lease.epoch),
    epoch: lease.epoch,
    lease,
    journal: openJournal(state, { run, epoch: lease.epoch }, clock),
    clock,
    askedToStop: (call) => readStopRequest(state, run, { signal: call }),
    ...(signal === undefined ? {} : { signal }),
  });
  await stopRenewing();
  await giveBack(lease);
  return result;
}

/** A lease that can't be given back runs out by itself. */
const giveBack = (lease: Lease) => lease.release({ signal: AbortSignal.timeout(5_000) }).catch(() => undefined);

/** That somebody else is at work, and how far he is. */
async function leaseHeld(state: ObjectStore, by: LeaseDocument, signal: AbortSignal | undefined): Promise<ArgusError> {
  const { run, holder, purpose, acquiredAtMs } = by;
  const since = `since ${new Date(acquiredAtMs).toISOString()}`;
  // How far it is comes on top: a journal that can't be read says nothing of it.
  const journal =
    run === undefined ? undefined : await inspectRun(state, run, signal ? { signal } : {}).catch(() => undefined);
  const step = journal && foldRun(journal.entries)?.steps.findLast((s) => s.status === 'started')?.id;
  const at = step === undefined ? '' : `, at ${step}`;
  return new ArgusError('LeaseHeld', `${holder} is at work: ${purpose}${run ? ` ${run}` : ''}, ${since}${at}`, {
    hint: `see \`argus runs show ${run ?? '<run>'}\`; wait for it to end, or stop it: \`argus runs abort ${run ?? '<run>'}\``,
    exitCode: 3,
  });
}
