import { ArgusError, describeError } from '../../domain/errors.ts';
import { type NamePatterns, selectNames } from '../../domain/name-patterns.ts';
import { type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import type { Region } from '../../regions/region.ts';
import { copyGroupOffsets } from '../../replication/groups/copy-group-offsets.ts';
import type { RecoveryPointChoice as FoundPoint } from '../../replication/recovery-point/choose.ts';
import { askedJob, describeRefusal, findRecoveryPoints } from '../../replication/recovery-point/find.ts';
import { type GatherOptions, standbyRanges } from '../../replication/recovery-point/gather.ts';
import { recountOutput } from '../../replication/recovery-point/point-output.ts';
import { type SinkLogReader, sinkLogReader } from '../../replication/recovery-point/sink-logs.ts';
import type { FailoverContext, RecoveryPointChoice, SyncedGroup } from './context.ts';
import { within } from './failover-step.ts';
import { standbyRemains } from './standby-remains.ts';

/** The failover's questions to replication, answered by the real parts. */
export function joinReplication(
  primary: Region,
  standby: Region,
  topics: readonly string[],
  options: {
    readonly acceptOutputGap?: boolean;
    readonly sinkLogs?: SinkLogReader;
    /** Nothing but these may be chosen. */
    readonly only?: GatherOptions['only'];
    /** Consumer groups that are followed by name. */
    readonly groups?: NamePatterns | undefined;
  } = {},
): Pick<FailoverContext, 'chooseRecoveryPoints' | 'recountOutput' | 'syncGroup' | 'syncOtherGroups' | 'remains'> {
  const { acceptOutputGap = false, sinkLogs = sinkLogReader(standby.brokers), only, groups: patterns } = options;
  return {
    remains: standbyRemains(primary, standby),
    async chooseRecoveryPoints(jobs, mirrorEnds, signal) {
      const { objects, kafka } = standby;
      const asked = jobs.map(({ config, restored }) => ({ ...askedJob(config), ...(restored ? { restored } : {}) }));
      const choices = await findRecoveryPoints(
        { objects, kafka, topics, mirrorEnds, acceptOutputGap, sinkLogs, signal, ...(only ? { only } : {}) },
        asked,
      );
      return new Map([...choices].map(([job, choice]) => [job, inWordsOfFailover(job, choice)]));
    },
    async recountOutput(point, writes, mirrorEnds, signal) {
      const ranges = await standbyRanges({ kafka: standby.kafka, topics, mirrorEnds, signal });
      return recountOutput(point, writes, ranges, sinkLogs, signal);
    },
    async syncGroup(group, ends, signal) {
      const [synced] = await syncAll(primary, standby, [group], ends, signal);
      return synced ?? { group, source: 'last-copy', offsets: [] };
    },
    async syncOtherGroups(but, ends, signal) {
      if (patterns === undefined) return [];
      // Of a dark primary the standby has every group that was ever copied.
      const all = await primary.kafka
        .listGroups({ signal: within(signal, patienceMs) })
        .catch(() => standby.kafka.listGroups({ signal }));
      const names = selectNames(all, patterns).names.filter((name) => !but.includes(name));
      return names.length === 0 ? [] : syncAll(primary, standby, names, ends, signal);
    },
  };
}

/** How long a primary may take to answer for committed offsets. */
const patienceMs = 2_500;

async function syncAll(
  primary: Region,
  standby: Region,
  groups: readonly string[],
  ends: readonly PartitionOffset[],
  signal: AbortSignal,
): Promise<readonly SyncedGroup[]> {
  const mirrored = new Map(ends.map((e) => [partitionKey(e), e.offset]));
  const copies = await copyGroupOffsets(primary.kafka, standby.kafka, groups, mirrored, {
    signal: within(signal, patienceMs),
  });
  signal.throwIfAborted();
  const there = await standby.kafka.groupCommits(groups, { signal });
  return copies.map(({ group, outcome, clamped, error }): SyncedGroup => {
    const copied = outcome === 'copied' || outcome === 'unchanged';
    const commits = there.get(group) ?? [];
    if (commits instanceof ArgusError) throw commits;
    return {
      group,
      source: copied ? 'primary' : 'last-copy',
      ...(copied ? {} : { because: error === undefined ? 'the group is active' : describeError(error) }),
      offsets: commits.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
      ...(clamped > 0 ? { clamped } : {}),
    };
  });
}

function inWordsOfFailover(job: string, choice: FoundPoint): RecoveryPointChoice {
  const rejected = choice.rejected.map((refusal) => ({
    job,
    checkpointId: refusal.checkpointId,
    code: refusal.reasons[0]?.code ?? 'Refused',
    message: describeRefusal(refusal),
  }));
  if (choice.kind === 'none') return { kind: 'none', rejected };
  const { point, output } = choice;
  return { kind: 'chosen', point, ...(output === undefined ? {} : { output }), rejected };
}
