import { createHash } from 'node:crypto';
import type { Failure } from '../../state/journal.ts';
import type { Step } from '../engine/step.ts';
import type { FailoverStepId } from '../failover/failover-step.ts';
import { findStandbyJob } from '../failover/standby-job.ts';
import type { StoredSavepoint, SwitchoverContext, SwitchoverFacts } from './context.ts';

export type SwitchoverStep = Step<SwitchoverContext, SwitchoverFacts>;

/** Steps that are a failover's as well, by the same id. */
type SharedStepId = Extract<
  FailoverStepId,
  | 'freeze-mirror'
  | 'seal-mirror'
  | 'sync-groups'
  | 'prepare-restore'
  | 'release-acls'
  | 'end-drill'
  | 'start-jobs'
  | 'end-transactions'
  | 'promote'
  | 'flip-names'
  | 'await-checkpoint'
  | 'verify-names'
>;

/** Steps by id, in their order. */
export const switchoverStepIds = [
  'check-ready',
  'deny-producers',
  'await-catch-up',
  'stop-with-savepoint',
  'deny-jobs',
  'freeze-mirror',
  'prove-ends',
  'seal-mirror',
  'copy-savepoints',
  'sync-groups',
  'prepare-restore',
  'release-acls',
  'end-drill',
  'start-jobs',
  'end-transactions',
  'open-mirror',
  'promote',
  'flip-names',
  'await-checkpoint',
  'verify-names',
] as const satisfies readonly (SharedStepId | string)[];

export type SwitchoverStepId = (typeof switchoverStepIds)[number];

/** From here on nothing is taken back: the standby's jobs write. */
export const pointOfNoReturn: SwitchoverStepId = 'start-jobs';

/**
 * Whether the standby's jobs run already, by an earlier run: then all that came before is over, and the old primary
 * need not answer any more.
 */
export async function hasTakenOver(context: SwitchoverContext, signal: AbortSignal): Promise<boolean> {
  return (await startedThere(context, signal)) === 'all';
}

/** How many of the standby's jobs run already. */
export type StartedThere = 'none' | 'some' | 'all';

/** How many an earlier run has started: from the first on the standby is written to. */
export async function startedThere(context: SwitchoverContext, signal: AbortSignal): Promise<StartedThere> {
  const jobs = await context.standby.flink.list({ signal });
  const live = context.jobs.filter(
    ({ config }) => findStandbyJob(jobs, context.roles.epoch + 1, config.name).kind === 'live',
  );
  if (live.length === 0) return 'none';
  return live.length === context.jobs.length ? 'all' : 'some';
}

/** Why what was begun is no switchover's to go on with; undefined: nothing speaks against it. Pure. */
export function notProven(
  { earlierProof, standby }: Pick<SwitchoverContext, 'earlierProof'> & { readonly standby: { readonly name: string } },
  started: StartedThere,
): Failure | undefined {
  if (started === 'none' || earlierProof !== undefined) return undefined;
  return {
    code: 'NotProven',
    message: `jobs of the next roles run on ${standby.name} already, and no switchover proved that nothing is lost`,
    hint: 'a failover that stopped half way is gone on with by `argus failover`',
  };
}

/** The evidence of a step that an earlier run has left behind. */
export const over = { kind: 'done', evidence: "the standby's jobs run already" } as const;

/**
 * The folder that holds a job's savepoints of the switchovers under these roles, without a slash at its end; below it
 * one for each job that Flink ran.
 */
export function savepointRoot(rolesEpoch: number, job: SwitchoverContext['jobs'][number]['config']): string {
  const safe = job.name.replace(/[^A-Za-z0-9.-]/g, (c) => `_${c.codePointAt(0)?.toString(16).padStart(4, '0')}`);
  return `${job.checkpoints.savepoints ?? 'argus/savepoints'}/switchover-${rolesEpoch}/${safe}`;
}

/**
 * The id of a request to stop one job: the same for every run under these roles, so that one which goes on finds the
 * request of the one before it. A request that failed can't be made again; then the next attempt's is. 32 hex digits.
 */
export function stopTriggerId(rolesEpoch: number, flinkJobId: string, attempt: number): string {
  return hex32(`argus/stop/${rolesEpoch}/${flinkJobId}/${attempt}`);
}

/** The id that a job gets which is started again on the primary, in the place of one that was stopped. */
export function returnedJobId(rolesEpoch: number, flinkJobId: string): string {
  return hex32(`argus/return/${rolesEpoch}/${flinkJobId}`);
}

/**
 * The savepoints that tell where a job ended, newest first: not those from which it was started again when a switchover
 * was taken back, and none before; the job has gone on since, whether its cluster still knows of it or not.
 */
export async function standingSavepoints(
  context: Pick<SwitchoverContext, 'listSavepoints' | 'roles' | 'returnedJobs'>,
  job: string,
  signal: AbortSignal,
): Promise<readonly StoredSavepoint[]> {
  const found = await context.listSavepoints(job, signal);
  const isOver = ({ flinkJobId }: StoredSavepoint) =>
    context.returnedJobs?.has(returnedJobId(context.roles.epoch, flinkJobId)) === true;
  const over = found.findIndex(isOver);
  return over < 0 ? found : found.slice(0, over);
}

const hex32 = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
