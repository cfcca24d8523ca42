import type { JobConfig } from '../../domain/config.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import type { LogRange } from '../../domain/offsets.ts';
import type { ReplicaProblem } from '../checkpoints/replica.ts';
import { choiceOf, type JudgedPoint, judgePoints, type RecoveryPointChoice } from './choose.ts';
import { chooseForJobs, type JobChoice, type JobPoints } from './choose-for-jobs.ts';
import { type GatheredView, type GatherOptions, recoveryViews, standbyRanges } from './gather.ts';
import { readPointOutput } from './point-output.ts';

/** A job to choose for, among all that may be joined with it by a topic. */
export type AskedJob = Omit<JobPoints, 'points'>;

/** A configured job as one to choose for. */
export function askedJob({ name, writes }: Pick<JobConfig, 'name' | 'writes'>): AskedJob {
  return { job: name, writes: writes ?? [] };
}

/** What the replica holds of a job, and what of it is chosen. */
export interface SeenJob extends JobChoice {
  readonly job: string;
  /** What lies there and is no checkpoint. */
  readonly problems: readonly ReplicaProblem[];
  /** Checkpoints that were not looked at, because a newer one is chosen. */
  readonly older: number;
  /** What the standby's log holds. */
  readonly logRanges: readonly LogRange[];
}

/** So many jobs are looked at at once. */
const JOBS_AT_ONCE = 16;

/**
 * Looks at the replicas of all jobs and chooses for all of them together, in the order of `jobs`. Looks further and
 * further back: while a mirror stands still, many a newer checkpoint is copied that lies past its end. Reads only.
 */
export async function seeJobs(options: GatherOptions, jobs: readonly AskedJob[]): Promise<readonly SeenJob[]> {
  const logRanges = await standbyRanges(options);
  const looks = jobs.map((job) => new Look(job, recoveryViews(options, job.job, logRanges)));
  for (let behind = looks; ; ) {
    await eachAtOnce(behind, JOBS_AT_ONCE, (look) => look.readUntilUsable(options.acceptOutputGap ?? false));
    const choices = chooseForJobs(looks.map((look) => ({ ...look.asked, points: look.points })));
    const choiceFor = ({ asked }: Look) => choices.get(asked.job) as JobChoice;
    behind = looks.filter((look) => look.older > 0 && choiceFor(look).wantsOlder);
    if (behind.length > 0) continue;
    const unseen = looks.filter((look) => look.wantsOutput(choiceFor(look).chosen, options));
    if (unseen.length > 0) {
      await eachAtOnce(unseen, JOBS_AT_ONCE, (look) => look.readOutput(choiceFor(look).chosen, options, logRanges));
      continue;
    }
    return looks.map((look) => ({
      ...choiceFor(look),
      job: look.asked.job,
      problems: [...look.problems.values()],
      older: look.older,
      logRanges,
    }));
  }
}

/** The newest usable checkpoint of each job on the replica, by the job's name, as a failover would choose it. Reads only. */
export async function findRecoveryPoints(
  options: GatherOptions,
  jobs: readonly AskedJob[],
): Promise<ReadonlyMap<string, RecoveryPointChoice>> {
  const seen = await seeJobs(options, jobs);
  return new Map(seen.map(({ job, points, chosen }) => [job, choiceOf(points, chosen)]));
}

/** How far one job's replica was looked at. */
class Look {
  readonly asked: AskedJob;
  readonly points: JudgedPoint[] = [];
  /** Every part names again what is none. */
  readonly problems = new Map<string, ReplicaProblem>();
  older = 0;
  readonly #views: AsyncGenerator<GatheredView>;

  constructor(asked: AskedJob, views: AsyncGenerator<GatheredView>) {
    this.asked = asked;
    this.#views = views;
  }

  /** One part more, and on until it holds a point that is usable by itself or there are no more. */
  async readUntilUsable(acceptOutputGap: boolean): Promise<void> {
    for (let usable = false; !usable; ) {
      const { value: view } = await this.#views.next();
      if (view === undefined) return;
      const judged = [...judgePoints({ ...view, sinks: { writes: this.asked.writes, acceptOutputGap } })];
      this.points.push(...judged);
      for (const problem of view.problems) this.problems.set(problem.key, problem);
      this.older = view.older;
      usable = judged.some(({ reasons }) => reasons.length === 0);
    }
  }

  /** Whether the standby's log tells more of the chosen point's output. */
  wantsOutput(chosen: JudgedPoint | undefined, { sinkLogs }: GatherOptions): boolean {
    return sinkLogs !== undefined && chosen !== undefined && chosen.output === undefined;
  }

  /** Looks at it; a point whose own transactions were aborted there is refused, unless that is accepted or it is in use. */
  async readOutput(
    chosen: JudgedPoint | undefined,
    { sinkLogs, acceptOutputGap = false, signal }: GatherOptions,
    logRanges: readonly LogRange[],
  ): Promise<void> {
    const at = this.points.findIndex(({ manifest }) => manifest === chosen?.manifest);
    const point = this.points[at];
    if (sinkLogs === undefined || point === undefined) return;
    const looked = await readPointOutput(
      { points: this.points.slice(at), writes: this.asked.writes, logRanges },
      sinkLogs,
      signal ?? new AbortController().signal,
    );
    const aborted = acceptOutputGap || this.asked.restored !== undefined ? [] : looked.aborted;
    this.points[at] = { ...point, output: looked.output, reasons: [...point.reasons, ...aborted] };
  }
}

/** Why a checkpoint was refused, as one sentence: the first reason, and how many more there are. Pure. */
export function describeRefusal({ reasons }: { readonly reasons: readonly { readonly message: string }[] }): string {
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : '';
  return `${reasons[0]?.message ?? 'refused'}${more}`;
}

/** Why there is no recovery point of a job, given the refused ones, newest first. Pure. */
export function noPointSentence(
  job: string,
  refused: readonly { readonly checkpointId: number; readonly message: string }[],
): string {
  const newest = refused[0];
  if (newest === undefined) return `the replica holds no complete checkpoint of ${job}`;
  return `none of ${refused.length} checkpoints of ${job} on the replica is usable; checkpoint ${newest.checkpointId}: ${newest.message}`;
}
