import type { LedgerEntry } from '../traffic/ledger.ts';

/** One record of the `events` topic. Records of one partition stand in the order of their offsets. */
export interface EventRecord {
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  readonly key: string;
  readonly seq: number;
}

/** One committed record of the job's output: the `count`-th event of the key. */
export interface MetricRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly count: number;
  /** The event that was counted last. */
  readonly id: string;
}

/** Everything that the audit looks at. */
export interface AuditInput {
  readonly ledger: Iterable<LedgerEntry>;
  /** The old primary's `events`; absent when it could not be looked at. */
  readonly oldEvents?: readonly EventRecord[];
  readonly standbyEvents: readonly EventRecord[];
  /** The standby's `metrics`, read committed. */
  readonly standbyMetrics: readonly MetricRecord[];
}

/** What the audit counted. Everything but the first three must be 0 after a failover that lost and doubled nothing. */
export interface AuditResult {
  /** Events that were acknowledged to a client. */
  readonly acknowledged: number;
  /** Records in the standby's `events`. */
  readonly onStandby: number;
  /** Whether the old primary's log was looked at; without it `orphans` and `vanished` can't be told and are 0. */
  readonly oldPrimaryRead: boolean;
  /** Records in the old primary's `events` and not in the standby's. */
  readonly orphans: number;
  /** Orphans that were acknowledged to the client, and what vanished. */
  readonly lost: number;
  /** The other orphans: their answer never came, or said "refused". */
  readonly lostUnknown: number;
  /** Acknowledged events that stand in neither log. They count as lost, too. */
  readonly vanished: number;
  /** Events answered with "refused" that stand in a log after all: the service must not answer so. */
  readonly refusedButWritten: number;
  /** Ids that stand more than once in the standby's `events`. */
  readonly duplicated: number;
  /** Records on the standby whose number is below one before them of the same key. */
  readonly misordered: number;
  readonly flink: {
    /** Keys in the standby's `events` or in the job's output there. */
    readonly keys: number;
    /** Keys whose last committed count is not the number of their records in the standby's `events`. */
    readonly wrongCounts: number;
  };
  /** Records of the output that tell the same count of the same key again. */
  readonly outputDuplicates: number;
}

/** Counts what was lost, doubled, misordered and miscounted. Pure; a million records take about a second. */
export function countAudit(input: AuditInput): AuditResult {
  const standby = timesById(input.standbyEvents);
  const old = timesById(input.oldEvents ?? []);
  const oldPrimaryRead = input.oldEvents !== undefined;

  const answers = new Map<string, LedgerEntry['status']>();
  let acknowledged = 0;
  let missing = 0;
  let refusedButWritten = 0;
  for (const { id, status } of input.ledger) {
    answers.set(id, status);
    const written = standby.has(id) || old.has(id);
    if (status === 'acknowledged') {
      acknowledged++;
      if (!written) missing++;
    } else if (status === 'refused' && written) refusedButWritten++;
  }

  let orphans = 0;
  let lostOrphans = 0;
  for (const [id, times] of old) {
    const absent = times - (standby.get(id) ?? 0);
    if (absent <= 0) continue;
    orphans += absent;
    if (answers.get(id) === 'acknowledged') lostOrphans += absent;
  }

  return {
    acknowledged,
    onStandby: input.standbyEvents.length,
    oldPrimaryRead,
    orphans,
    lost: lostOrphans + missing,
    lostUnknown: orphans - lostOrphans,
    vanished: oldPrimaryRead ? missing : 0,
    refusedButWritten,
    duplicated: [...standby.values()].filter((times) => times > 1).length,
    misordered: countMisordered(input.standbyEvents),
    flink: compareCounts(input.standbyEvents, input.standbyMetrics),
    outputDuplicates: countRepeated(input.standbyMetrics),
  };
}

function timesById(records: readonly EventRecord[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { id } of records) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}

/** A key lives in one partition, so the order of the array within a partition is the key's order. */
function countMisordered(records: readonly EventRecord[]): number {
  const highest = new Map<string, number>();
  let misordered = 0;
  for (const { key, seq } of records) {
    const before = highest.get(key);
    if (before !== undefined && seq < before) misordered++;
    else highest.set(key, seq);
  }
  return misordered;
}

function compareCounts(
  events: readonly EventRecord[],
  metrics: readonly MetricRecord[],
): { keys: number; wrongCounts: number } {
  const expected = new Map<string, number>();
  for (const { key } of events) expected.set(key, (expected.get(key) ?? 0) + 1);
  const last = new Map<string, number>();
  for (const { key, count } of metrics) last.set(key, count);
  const keys = new Set([...expected.keys(), ...last.keys()]);
  let wrongCounts = 0;
  for (const key of keys) if (expected.get(key) !== last.get(key)) wrongCounts++;
  return { keys: keys.size, wrongCounts };
}

function countRepeated(metrics: readonly MetricRecord[]): number {
  const seen = new Map<string, Set<number>>();
  let repeated = 0;
  for (const { key, count } of metrics) {
    const counts = seen.get(key) ?? new Set<number>();
    seen.set(key, counts);
    if (counts.has(count)) repeated++;
    counts.add(count);
  }
  return repeated;
}
