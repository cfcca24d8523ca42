import { offsetToJson, type PartitionOffsetJson } from '../../domain/offsets.ts';
import type { Failure } from '../../state/journal.ts';
import type { RunResult } from '../engine/run.ts';
import { type ReportedStep, reportedSteps } from '../engine/run-result.ts';
import { type GroupWindow, groupWindows } from '../failover/group-windows.ts';
import type { SwitchoverFacts, SwitchoverProof } from './context.ts';

/** What a switchover did and reached: on stdout with `--json`, and in the journal's `run-finished`. */
export interface SwitchoverReport {
  readonly run: string;
  readonly epoch: number;
  readonly outcome: RunResult<SwitchoverFacts>['outcome'];
  readonly from: string;
  readonly to: string;
  /** Why it was made, as its operator said. */
  readonly reason?: string;
  /**
   * `provenZero`: producers and jobs were kept from writing, and each partition ended at the same offset on both sides.
   * The offsets are the evidence. False: nothing is proven, as in a run that did not get so far.
   */
  readonly rpo: {
    readonly provenZero: boolean;
    /** How it is known that no producer wrote any more. */
    readonly producers: SwitchoverFacts['producersDenied'] | null;
    readonly partitions: SwitchoverProof['partitions'];
  };
  /** First denial of the producers → every name answered with the new primary; null: not reached. */
  readonly producersBlockedMs: number | null;
  /** First denial → every job has a checkpoint of its own, and the names answer. */
  readonly rtoMs: number | null;
  /** Offsets that the jobs read on the new primary because they had not before. Null: not known. */
  readonly replayedRecords: number | null;
  readonly behind: readonly { readonly job: string; readonly offsets: string }[];
  readonly savepoints: readonly {
    readonly job: string;
    readonly flinkJobId: string;
    readonly checkpointId: number;
    readonly directory: string;
  }[];
  readonly promotedAt: readonly PartitionOffsetJson[];
  /** What the move means to each consumer group. */
  readonly groups: readonly GroupWindow[];
  readonly steps: readonly ReportedStep[];
  readonly compensated: readonly string[];
  /** Past it the switchover can only be gone on with. */
  readonly pastReturn: boolean;
  readonly error?: Failure;
}

/** The report of a run, whether it ended well or not. Pure. */
export function switchoverReport(
  result: RunResult<SwitchoverFacts>,
  view: { readonly from: string; readonly to: string; readonly reason?: string },
): SwitchoverReport {
  const { facts } = result;
  const { producersDeniedAtMs: deniedAtMs, namesAnswerAtMs, recoveredAtMs, proof, producersDenied } = facts;
  const since = (atMs: number | undefined) =>
    atMs === undefined || deniedAtMs === undefined ? null : Math.max(0, atMs - deniedAtMs);
  const backAtMs =
    recoveredAtMs === undefined || namesAnswerAtMs === undefined ? undefined : Math.max(recoveredAtMs, namesAnswerAtMs);
  return {
    run: result.run,
    epoch: result.epoch,
    outcome: result.outcome,
    ...view,
    rpo: {
      provenZero: proof?.partitions.every((p) => p.primaryEnd === p.standbyEnd) === true,
      producers: producersDenied ?? null,
      partitions: proof?.partitions ?? [],
    },
    producersBlockedMs: since(namesAnswerAtMs),
    rtoMs: since(backAtMs),
    replayedRecords: facts.unread ?? null,
    behind: facts.behind ?? [],
    savepoints: (facts.savepoints ?? []).map(({ completedAtMs: _, ...savepoint }) => savepoint),
    promotedAt: (facts.promotedAt ?? []).map(offsetToJson),
    groups: groupWindows(facts.groups ?? [], facts.promotedAt ?? []),
    steps: reportedSteps(result.steps),
    compensated: result.compensated,
    pastReturn: result.pastReturn,
    ...(result.error === undefined ? {} : { error: result.error }),
  };
}
