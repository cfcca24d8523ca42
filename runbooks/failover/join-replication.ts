import { describeError } from '../../domain/errors.ts';
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
  } = {},
): Pick<FailoverContext, 'chooseRecoveryPoints' | 'recountOutput' | 'syncGroup' | 'remains'> {
  const { acceptOutputGap = false, sinkLogs = sinkLogReader(standby.brokers), only } = options;
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
    async syncGroup(group, ends, signal): Promise<SyncedGroup> {
      const mirrored = new Map(ends.map((e: PartitionOffset) => [partitionKey(e), e.offset]));
      const [copy] = await copyGroupOffsets(primary.kafka, standby.kafka, [group], mirrored, {
        signal: within(signal, 2_500),
      });
      signal.throwIfAborted();
      const copied = copy?.outcome === 'copied' || copy?.outcome === 'unchanged';
      return {
        group,
        source: copied ? 'primary' : 'last-copy',
        ...(copied ? {} : { because: copy?.error === undefined ? 'the group is active' : describeError(copy.error) }),
        offsets: await standby.kafka.groupOffsets(group, { signal }),
      };
    },
  };
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
