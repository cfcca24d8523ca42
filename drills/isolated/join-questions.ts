import type { Config } from '../../domain/config.ts';
import type { Region } from '../../regions/region.ts';
import { gatherBubbleCopy } from '../../replication/checkpoints/bubble-copy.ts';
import { verifyCheckpoints } from '../../replication/checkpoints/verify.ts';
import { evidence } from '../../runbooks/failover/failover-step.ts';
import { joinReplication } from '../../runbooks/failover/join-replication.ts';
import type { DrillQuestions } from './context.ts';

/** The drill's questions, answered by the real parts. */
export function joinQuestions({
  config,
  primary,
  standby,
}: {
  readonly config: Config;
  readonly primary: Region;
  readonly standby: Region;
}): DrillQuestions {
  const { chooseRecoveryPoints } = joinReplication(primary, standby, config.topics, { groups: config.groups });
  return {
    chooseRecoveryPoints,
    gatherCopy: (point, place, signal) => gatherBubbleCopy(standby.objects, point, place, { signal }),
    async prove(points, { signal, progress }) {
      const verified = await verifyCheckpoints({
        store: standby.objects,
        manifests: points,
        signal,
        onProgress: ({ files, totalFiles }) => progress(`${files} of ${totalFiles} files read`),
      });
      const causes = verified.checkpoints.flatMap(({ job, differences }) =>
        differences.map(({ code, message }) => ({ job, code, message })),
      );
      return { causes, evidence: evidence({ filesRead: verified.filesRead, bytesRead: verified.bytesRead }) };
    },
    async compare({ config: job, topics }) {
      const comparisons = [...topics.keys()].map((topic) => ({
        job: job.name,
        topic,
        kind: 'skipped' as const,
        why: 'drills do not compare output yet',
      }));
      return { kind: 'ended', comparisons };
    },
    causeOf: (job, message) => ({ code: 'JobFailed', message: `${job} failed: ${message}`, job }),
  };
}
