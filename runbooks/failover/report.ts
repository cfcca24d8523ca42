import type { PendingTransaction } from '../../domain/checkpoint.ts';
import { offsetToJson, type PartitionOffset, type PartitionOffsetJson } from '../../domain/offsets.ts';
import type { OpenTransaction } from '../../replication/topics/decide-transactions.ts';
import type { EndedTransaction } from '../../replication/topics/end-open-transactions.ts';
import { estimateLoss, type TopicLoss } from '../../replication/topics/estimate-loss.ts';
import type { Failure } from '../../state/journal.ts';
import type { Sighting } from '../../state/sightings.ts';
import type { RunResult } from '../engine/run.ts';
import { type ReportedStep, reportedSteps } from '../engine/run-result.ts';
import type { KafkaFencing } from '../fencing/kafka-fencing.ts';
import { type OwnShare, ownShare } from '../own-share.ts';
import type { LossBudget } from './budget.ts';
import type { FailoverFacts, RejectedPoint, UsedPoint } from './context.ts';
import { type GroupWindow, groupWindows } from './group-windows.ts';
import type { Outage } from './outage.ts';
import { type ReportedDouble, type ReportedGap, type ReportedNote, reportedOutput } from './output.ts';

/** What a failover did and reached. JSON; later versions only add to it. */
export interface FailoverReport {
  readonly run: string;
  readonly epoch: number;
  readonly outcome: RunResult<FailoverFacts>['outcome'];
  readonly from: string;
  readonly to: string;
  readonly outageAtMs: number;
  readonly outageSource: Outage['source'];
  /** Nobody watched the primary: the outage may have begun this early; null: nobody knows. Absent: `outageAtMs` is known. */
  readonly outageEarliestAtMs?: number | null;
  /** Outage → every job has a checkpoint of its own, and every resolver answers with the standby. Null: not reached. */
  readonly rtoMs: number | null;
  /** `rtoMs` if the outage began as early as it may have; absent when that is known, or no RTO was reached. */
  readonly rtoMaxMs?: number;
  /** How much of the run's time is Argus' own, and whom it waited for. */
  readonly share?: OwnShare;
  /** What looking and planning took before the run began; in no `share`. */
  readonly preparedMs?: number;
  /** Jobs of the primary that this run stopped, and that a run which gave up leaves stopped. */
  readonly leftStopped?: readonly string[];
  readonly steps: readonly ReportedStep[];
  readonly rpo: { readonly topics: Readonly<Record<string, TopicLoss>> };
  /** Records between the recovery points and the promoted ends: the jobs read them (again). Null: not known. */
  readonly replayedRecords: number | null;
  /** Null when none was chosen, or when there are several jobs: then see `recoveryPoints`. */
  readonly recoveryPoint: ReportedPoint | null;
  readonly recoveryPoints: readonly ReportedPoint[];
  readonly rejected: readonly RejectedPoint[];
  readonly droppedTransactions: readonly PendingTransaction[];
  /** What the standby's readers miss of the sinks' output; empty: nothing, as far as it can be told (`outputNotes`). */
  readonly outputGap?: readonly ReportedGap[];
  /** What they get twice: committed on the standby already, and made again by the restored jobs. */
  readonly doubledOutput?: readonly ReportedDouble[];
  /** What can't be verified of the sinks. */
  readonly outputNotes?: readonly ReportedNote[];
  /** A person accepted that output is missing. */
  readonly outputGapAccepted?: boolean;
  /** A person accepted a loss above the RPO: the age in ms of the oldest lost record, or whatever it may be. */
  readonly acceptedLoss?: LossBudget;
  /** Why the operator did this, in his words. */
  readonly reason?: string;
  /** True: nobody saw the primary stopped, and a person accepted that. */
  readonly unfenced: boolean;
  readonly unfencedBecause?: string;
  /** How far the primary's Kafka was shown to take no writes any more; absent: the run didn't get there. */
  readonly kafkaFencing?: KafkaFencing;
  readonly promotedAt: readonly PartitionOffsetJson[];
  /** What the move means to each consumer group. */
  readonly groups?: readonly GroupWindow[];
  /** The standby's brokers were seen to refuse the mirror's writes. */
  readonly writeDenied?: boolean;
  /**
   * Transactions that the mirror had left open, and how this run ended them; their markers stand above `promotedAt`. The
   * records of aborted ones stand below it, and no reader of committed records sees them.
   */
  readonly endedTransactions?: readonly Jsoned<EndedTransaction>[];
  /** Open ones of others, which were not touched: readers of committed records wait behind them. */
  readonly foreignTransactions?: readonly Jsoned<OpenTransaction>[];
  readonly compensated: readonly string[];
  /** Past it the failover can only be gone on with. */
  readonly pastReturn: boolean;
  readonly error?: Failure;
}

/** As JSON has it: offsets and ids in decimal. */
type Jsoned<T> = {
  readonly [K in keyof T]: T[K] extends bigint ? string : Extract<T[K], bigint> extends never ? T[K] : string | null;
};

type ReportedPoint = Omit<UsedPoint, 'sourceOffsets' | 'droppedTransactions' | 'sinkEnds' | 'output'> & {
  readonly sourceOffsets: readonly PartitionOffsetJson[];
};

export interface ReportView {
  readonly result: RunResult<FailoverFacts>;
  readonly from: string;
  readonly to: string;
  readonly outage: Outage;
  readonly topics: readonly string[];
  readonly jobs: readonly string[];
  readonly sighting: Sighting | undefined;
  readonly acceptOutputGap?: boolean;
  readonly acceptedLoss?: LossBudget;
  readonly reason?: string;
  readonly preparedMs?: number;
}

/** The report of a run, whether it ended well or not. Pure. */
export function failoverReport(view: ReportView): FailoverReport {
  const { result, outage } = view;
  const { facts } = result;
  const points = facts.points ?? [];
  const reported = points.map(
    ({ sourceOffsets, droppedTransactions: _dropped, sinkEnds: _ends, output: _output, ...point }) => ({
      ...point,
      sourceOffsets: sourceOffsets.map(offsetToJson),
    }),
  );
  const share = ownShare(result);
  const { recoveredAtMs, namesAnswerAtMs } = facts;
  const backAtMs =
    recoveredAtMs !== undefined && namesAnswerAtMs !== undefined ? Math.max(recoveredAtMs, namesAnswerAtMs) : undefined;
  return {
    run: result.run,
    epoch: result.epoch,
    outcome: result.outcome,
    from: view.from,
    to: view.to,
    outageAtMs: outage.atMs,
    outageSource: outage.source,
    ...(outage.earliestAtMs === undefined ? {} : { outageEarliestAtMs: outage.earliestAtMs }),
    rtoMs: backAtMs === undefined ? null : Math.max(0, backAtMs - outage.atMs),
    ...(backAtMs === undefined || typeof outage.earliestAtMs !== 'number'
      ? {}
      : { rtoMaxMs: Math.max(0, backAtMs - outage.earliestAtMs) }),
    ...(share === undefined ? {} : { share }),
    ...(view.preparedMs === undefined ? {} : { preparedMs: view.preparedMs }),
    ...(leftStopped(result) ? { leftStopped: view.jobs } : {}),
    steps: reportedSteps(result.steps),
    rpo: {
      topics:
        facts.promotedAt === undefined
          ? {}
          : estimateLoss({
              topics: view.topics,
              sighting: view.sighting,
              promotedAt: facts.promotedAt,
              outageAtMs: outage.atMs,
              primaryStopped: facts.primaryStopped === true,
              ...(namesAnswerAtMs === undefined ? {} : { namesMovedAtMs: namesAnswerAtMs }),
              endsAreLast: facts.primaryEndsAreLast === true,
              ...(facts.primaryEnds === undefined ? {} : { primaryEnds: facts.primaryEnds }),
            }),
    },
    replayedRecords: replayed(points, facts.promotedAt),
    recoveryPoint: reported.length === 1 ? reported[0]! : null,
    recoveryPoints: reported,
    rejected: facts.rejected ?? [],
    droppedTransactions: points.flatMap((p) => p.droppedTransactions),
    ...reportedOutput(points),
    ...(view.acceptOutputGap === true ? { outputGapAccepted: true } : {}),
    ...(view.acceptedLoss === undefined ? {} : { acceptedLoss: view.acceptedLoss }),
    ...(view.reason === undefined ? {} : { reason: view.reason }),
    unfenced: facts.primaryStopped === false,
    ...(facts.unfencedBecause === undefined ? {} : { unfencedBecause: facts.unfencedBecause }),
    ...(facts.kafkaFencing === undefined ? {} : { kafkaFencing: facts.kafkaFencing }),
    promotedAt: (facts.promotedAt ?? []).map(offsetToJson),
    groups: groupWindows(facts.groups ?? [], facts.promotedAt ?? []),
    writeDenied: facts.writeDenied === true,
    endedTransactions: (facts.endedTransactions ?? []).map(jsoned),
    foreignTransactions: (facts.foreignTransactions ?? []).map(jsoned),
    compensated: result.compensated,
    pastReturn: result.pastReturn,
    ...(result.error === undefined ? {} : { error: result.error }),
  };
}

const jsoned = <T extends object>(value: T) =>
  Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k, typeof v === 'bigint' ? v.toString() : (v ?? null)]),
  ) as Jsoned<T>;

/** A run that gave up before the standby's jobs were started, and had begun to stop the primary's. */
function leftStopped({ outcome, pastReturn, steps, facts }: RunResult<FailoverFacts>): boolean {
  const stop = steps.find((s) => s.id === 'stop-primary-jobs');
  const acted = stop?.status === 'done' && facts.primaryStopped === true;
  return outcome !== 'done' && !pastReturn && (acted || stop?.status === 'interrupted');
}

/**
 * Records that the jobs read from their recovery points on, up to where mirrored data ends. Pure. Offsets that are
 * markers (negative) say nothing; a point without known offsets makes the whole unknown.
 */
export function replayed(
  points: readonly UsedPoint[],
  promotedAt: readonly PartitionOffset[] | undefined,
): number | null {
  if (promotedAt === undefined || points.length === 0 || points.some((p) => p.sourceOffsets.length === 0)) return null;
  let sum = 0n;
  for (const { topic, partition, offset } of points.flatMap((p) => p.sourceOffsets)) {
    const end = promotedAt.find((p) => p.topic === topic && p.partition === partition)?.offset;
    if (offset >= 0n && end !== undefined && end > offset) sum += end - offset;
  }
  return Number(sum);
}

/** How the argus command ends after this run. Pure. */
export function exitCodeOf(result: Pick<FailoverReport, 'outcome' | 'pastReturn' | 'error'>): 0 | 1 | 3 | 4 {
  if (result.error?.code === 'CompensationFailed') return 4;
  switch (result.outcome) {
    case 'done':
      return 0;
    case 'refused':
      return result.pastReturn ? 4 : 3;
    case 'failed':
    case 'interrupted':
      return result.pastReturn ? 4 : 1;
    default:
      return result.outcome satisfies never;
  }
}
