import { type Gauges, seconds } from './gauges.ts';

/** What a scrape tells of the mirror; absent topics leave their series out. */
export interface MirrorFacts {
  readonly topics: Readonly<
    Record<
      string,
      {
        /** Undefined where nobody can tell now: such a series is left out, never 0. */
        readonly lagMs: number | undefined;
        readonly recordsPerSecond: number | undefined;
        readonly partitions: readonly {
          readonly partition: number;
          readonly lagRecords: number | undefined;
          readonly state: 'mirroring' | 'waiting' | 'stopped';
          readonly openTransactions?: { readonly count: number };
        }[];
      }
    >
  >;
  /** Undefined while none was seen, or there are none. */
  readonly heartbeatLagMs?: number;
}

/** A partition's own series is given up to this many per topic; beyond it they are summed under `partition="all"`. */
const partitionSeriesLimit = 200;
/** With more partitions than this in all topics together, that is so for every topic. */
const allPartitionsLimit = 5_000;

/** Adds the mirror's gauges; the function given sets them. */
export function mirrorSeries({ gauge }: Gauges): (facts: MirrorFacts) => void {
  const lagRecords = gauge('kafka_mirror_records_lag', 'Records on the primary that the standby does not have.', [
    'topic',
    'partition',
  ]);
  const lagSeconds = gauge('kafka_mirror_lag_seconds', 'How far the standby is behind, by the timestamps of records.', [
    'topic',
  ]);
  const heartbeatLag = gauge(
    'kafka_mirror_heartbeat_lag_seconds',
    'Age of the newest heartbeat of the primary that can be read on the standby; one is written every second.',
  );
  const rate = gauge(
    'argus_primary_records_per_second',
    'Records appended on the primary, average of the last seconds.',
    ['topic'],
  );
  const stopped = gauge(
    'argus_mirror_partitions_stopped',
    'Partitions that are mirrored no further until a person acts.',
    ['topic'],
  );
  const waiting = gauge(
    'argus_mirror_partitions_waiting',
    'Partitions that can not be mirrored for now: without leader, deleted, or not readable.',
    ['topic'],
  );
  const open = gauge(
    'kafka_mirror_open_transactions',
    'Transactions of the primary that stand open on the standby too, and hold read_committed readers back there.',
    ['topic'],
  );

  return ({ topics, heartbeatLagMs }) => {
    const all = Object.values(topics).reduce((sum, t) => sum + t.partitions.length, 0);
    for (const [topic, t] of Object.entries(topics)) {
      if (t.lagMs !== undefined) lagSeconds.set({ topic }, seconds(t.lagMs));
      if (t.recordsPerSecond !== undefined) rate.set({ topic }, t.recordsPerSecond);
      stopped.set({ topic }, t.partitions.filter((p) => p.state === 'stopped').length);
      waiting.set({ topic }, t.partitions.filter((p) => p.state === 'waiting').length);
      open.set({ topic }, sum(t.partitions.map((p) => p.openTransactions?.count ?? 0)) ?? 0);
      if (t.partitions.length > partitionSeriesLimit || all > allPartitionsLimit) {
        const lag = sum(t.partitions.map((p) => p.lagRecords));
        if (lag !== undefined) lagRecords.set({ topic, partition: 'all' }, lag);
      } else {
        for (const { partition, lagRecords: lag } of t.partitions) {
          if (lag !== undefined) lagRecords.set({ topic, partition: String(partition) }, lag);
        }
      }
    }
    if (heartbeatLagMs !== undefined) heartbeatLag.set(seconds(heartbeatLagMs));
  };
}

/** Undefined when one of them is. */
function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce((a, b) => (a === undefined || b === undefined ? undefined : a + b), 0);
}
