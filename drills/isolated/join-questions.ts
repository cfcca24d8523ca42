import type { Clock } from '../../domain/clock.ts';
import type { Config } from '../../domain/config.ts';
import { operatorName } from '../../regions/flink/foreign-sinks.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import type { Region } from '../../regions/region.ts';
import { gatherBubbleCopy } from '../../replication/checkpoints/bubble-copy.ts';
import { joinReplication } from '../../runbooks/failover/join-replication.ts';
import { compareJobs } from '../compare/compare-jobs.ts';
import { proveReplica } from '../prove/prove-replica.ts';
import { causeOfFailure } from '../prove/start-failure.ts';
import type { DrillQuestions } from './context.ts';

/** The drill's questions, answered by the real parts. */
export function joinQuestions({
  config,
  primary,
  standby,
  clock,
}: {
  readonly config: Config;
  readonly primary: Region;
  readonly standby: Region;
  readonly clock: Clock;
}): DrillQuestions {
  const { chooseRecoveryPoints } = joinReplication(primary, standby, config.topics, { groups: config.groups });
  /** Of the points that were read: Flink tells only the id of one that a job hasn't. */
  const operators = new Map<string, string>();
  return {
    chooseRecoveryPoints,
    async gatherCopy(point, place, signal) {
      const copy = await gatherBubbleCopy(standby.objects, point, place, { signal });
      for (const operator of readMetadata(copy.metadata.bytes).operators) {
        if (operator.name !== '' || operator.uid !== '') operators.set(operator.id, operatorName(operator));
      }
      return copy;
    },
    prove: (points, { signal, progress }) =>
      proveReplica(points, { primary, standby, ownMirror: true, clock, signal, progress }),
    compare: compareJobs({ primary, standby, mirrored: config.topics, clock }),
    causeOf: (job, failure) => causeOfFailure(job, failure, (id) => operators.get(id)),
  };
}
