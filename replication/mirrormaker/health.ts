import type { TopicPartition } from '../../domain/offsets.ts';
import type { ConnectorStatus } from '../../regions/connect/connect-rest.ts';
import type { Heartbeat } from './sync-records.ts';

/** What was seen of a partition that MirrorMaker copies. */
export interface PartitionSight extends TopicPartition {
  /** Exclusive. */
  readonly sourceEnd: bigint;
  /** Undefined before the first one. */
  readonly newest: { readonly upstream: bigint; readonly atMs: number } | undefined;
  /**
   * Records of the source behind the newest sync; undefined where they could not be counted. Markers of transactions are
   * none.
   */
  readonly missing: bigint | undefined;
}

export interface PartitionLag extends TopicPartition {
  /** Exact, or an upper bound where the source's tail holds what is no record. Undefined before the first sync. */
  readonly lagRecords: bigint | undefined;
  readonly exact: boolean;
  /** Time since the newest sync while records are missing, else 0. */
  readonly lagMs: number | undefined;
}

export interface MirrorMakerSight {
  readonly connectors: readonly { readonly name: string; readonly status: ConnectorStatus | undefined }[];
  readonly partitions: readonly PartitionSight[];
  readonly heartbeat: Heartbeat | undefined;
  readonly nowMs: number;
  readonly stalledAfterMs: number;
}

export interface MirrorMakerHealth {
  readonly healthy: boolean;
  /** Each with a code and a sentence. */
  readonly problems: readonly { readonly code: string; readonly message: string }[];
  readonly lags: readonly PartitionLag[];
  readonly heartbeatMs: number | undefined;
}

/** What is wrong with a running MirrorMaker, and how far behind it is. Nothing else than what was seen decides. */
export function mirrorMakerHealth(sight: MirrorMakerSight): MirrorMakerHealth {
  const { nowMs, stalledAfterMs, heartbeat } = sight;
  const lags = sight.partitions.map((p) => lagOf(p, nowMs));
  const stalled = lags.flatMap((lag) => {
    if (lag.lagRecords === undefined || !lag.lagRecords || (lag.lagMs ?? 0) <= stalledAfterMs) return [];
    const where = `${lag.topic}-${lag.partition}`;
    const since = Math.round((lag.lagMs ?? 0) / 1_000);
    return [{ code: 'NoSync', message: `${where}: ${lag.lagRecords} records wait, no sync for ${since} s` }];
  });
  const unsynced = sight.partitions
    .filter((p) => !p.newest && p.missing !== 0n && p.sourceEnd > 0n)
    .map((p) => ({ code: 'NeverSynced', message: `${p.topic}-${p.partition}: MirrorMaker has copied nothing yet` }));
  const heartbeatMs = heartbeat ? Math.max(0, nowMs - heartbeat.atMs) : undefined;
  const silent =
    heartbeatMs === undefined
      ? [{ code: 'NoHeartbeat', message: 'MirrorMaker has written no heartbeat' }]
      : heartbeatMs > stalledAfterMs
        ? [{ code: 'NoHeartbeat', message: `no heartbeat for ${Math.round(heartbeatMs / 1_000)} s` }]
        : [];
  const problems = [...sight.connectors.flatMap(connectorProblems), ...silent, ...unsynced, ...stalled];
  return { healthy: problems.length === 0, problems, lags, heartbeatMs };
}

function lagOf({ topic, partition, sourceEnd, newest, missing }: PartitionSight, nowMs: number): PartitionLag {
  const behind = missing ?? (newest ? sourceEnd - newest.upstream - 1n : undefined);
  const lagRecords = behind !== undefined && behind < 0n ? 0n : behind;
  const lagMs = lagRecords === 0n ? 0 : newest && Math.max(0, nowMs - newest.atMs);
  return { topic, partition, lagRecords, exact: missing !== undefined, lagMs };
}

function connectorProblems({ name, status }: MirrorMakerSight['connectors'][number]) {
  if (!status) return [{ code: 'ConnectorMissing', message: `${name} does not exist; argus mirror deploy makes it` }];
  const parts = [
    { ...status.connector, what: name },
    ...status.tasks.map((task) => ({ ...task, what: `task ${task.id} of ${name}` })),
  ];
  const problems = parts
    .filter((p) => p.state !== 'RUNNING')
    .map((p) => ({
      code: p.state === 'FAILED' ? 'ConnectorFailed' : 'ConnectorNotRunning',
      message: `${p.what} is ${p.state}${p.failure === undefined ? '' : `: ${p.failure}`}`,
    }));
  // The checkpoint connector has none as long as there are no groups.
  if (problems.length === 0 && status.tasks.length === 0 && !name.endsWith('-checkpoint'))
    return [{ code: 'ConnectorNotRunning', message: `${name} has no task: no topic matches yet` }];
  return problems;
}
