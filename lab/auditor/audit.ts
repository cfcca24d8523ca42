import { readLedger } from '../traffic/ledger.ts';
import { type AuditResult, countAudit, type EventRecord, type MetricRecord } from './count.ts';
import { type JavaClient, type ReadCommittedOptions, readCommitted } from './read-committed.ts';
import { readTopic } from './read-topic.ts';

export type { AuditResult } from './count.ts';

/** Where the auditor looks. Bootstraps are `host:port` of listeners that are never cut. */
export interface AuditOptions {
  /** The old primary's Kafka; absent when it can't be read again. */
  readonly oldPrimaryBootstrap?: string | readonly string[];
  readonly standbyBootstrap: string | readonly string[];
  readonly eventsTopic: string;
  readonly metricsTopic: string;
  readonly ledgerPath: string;
  /** For committed output. */
  readonly client: JavaClient;
  readonly signal?: AbortSignal;
}

/**
 * Reads both regions' logs and the client's ledger, and counts what was lost, doubled, misordered and miscounted. It
 * shares no code with the product. The job must have drained before: `waitUntilSettled`.
 */
export async function auditRegions(options: AuditOptions): Promise<AuditResult> {
  const { standbyBootstrap, oldPrimaryBootstrap, eventsTopic, metricsTopic } = options;
  // Where one can't be read the others are given up: a reader that is a process of its own must not outlive this.
  const failed = new AbortController();
  const asked = options.signal === undefined ? [] : [options.signal];
  const signal = { signal: AbortSignal.any([failed.signal, ...asked]) };
  const [ledger, oldEvents, standbyEvents, standbyMetrics] = await Promise.all([
    readLedger(options.ledgerPath),
    oldPrimaryBootstrap === undefined
      ? undefined
      : readEvents({ bootstrap: oldPrimaryBootstrap, topic: eventsTopic, ...signal }),
    readEvents({ bootstrap: standbyBootstrap, topic: eventsTopic, ...signal }),
    readMetrics({ bootstrap: standbyBootstrap, topic: metricsTopic, client: options.client, ...signal }),
  ]).finally(() => failed.abort());
  return countAudit({ ledger, standbyEvents, standbyMetrics, ...(oldEvents !== undefined && { oldEvents }) });
}

interface Source {
  readonly bootstrap: string | readonly string[];
  readonly topic: string;
  readonly signal?: AbortSignal;
}

/** The events of a log, partition by partition in the order of their offsets. */
export async function readEvents(source: Source): Promise<EventRecord[]> {
  const records: EventRecord[] = [];
  await readTopic(source, ({ partition, offset, key, value }) => {
    const { id, seq } = JSON.parse(value) as { id: string; seq: number };
    records.push({ partition, offset, id, key, seq });
  });
  return records;
}

/** The committed output of the job, partition by partition in the order of its offsets. */
export async function readMetrics(source: ReadCommittedOptions): Promise<MetricRecord[]> {
  return (await readCommitted(source)).map(({ partition, offset, key, value }) => {
    const { count, id } = JSON.parse(value) as { count: number; id: string };
    return { partition, offset, key, count, id };
  });
}
