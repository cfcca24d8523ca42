import type { CheckpointContents } from './check-contents.ts';
import { checkPartitions } from './check-partitions.ts';
import { checkSettings } from './check-settings.ts';
import { checkTopics } from './check-topics.ts';
import { checkSinksAndSources } from './check-transactions.ts';
import type { CheckedJob, CheckFinding, Findings } from './checked-job.ts';
import { estimateCopyMs } from './restore-copy.ts';

/**
 * How a checkpoint becomes one that the standby can restore. `rewritten-uris` is what Argus does, and `copy-then-claim`
 * where the state must be claimed; the others are done by hand.
 */
export type RelocationVariant = 'rewritten-uris' | 'same-uris' | 'native-savepoint' | 'copy-then-claim';

export interface VariantVerdict {
  readonly variant: RelocationVariant;
  readonly works: boolean;
  readonly why: string;
}

export interface JobVerdict {
  readonly job: string;
  readonly verdict: 'restorable' | 'restorable-with-warnings' | 'refused';
  readonly variants: readonly VariantVerdict[];
  readonly reasons: readonly CheckFinding[];
  readonly warnings: readonly CheckFinding[];
  /** What is so and needs no change. */
  readonly notes: readonly string[];
}

/** Whether a job's checkpoints can be restored on the standby as things are, how, and what to change; pure. */
export function judgeJob(job: CheckedJob): JobVerdict {
  const looks = [
    checkRun(job),
    checkSettings(job),
    checkContents(job),
    checkPartitions(job),
    checkSinksAndSources(job),
    checkTopics(job),
  ];
  const reasons = looks.flatMap((look) => look.reasons);
  const warnings = looks.flatMap((look) => look.warnings);
  return {
    job: job.job,
    verdict: reasons.length > 0 ? 'refused' : warnings.length > 0 ? 'restorable-with-warnings' : 'restorable',
    variants: job.checkpoint.kind === 'read' ? variants(job, job.checkpoint.contents) : [],
    reasons,
    warnings,
    notes: looks.flatMap((look) => look.notes),
  };
}

/** Whether the job runs and leaves checkpoints where they are looked for. */
function checkRun({ job, prefix, bucketUri, flink, checkpoint }: CheckedJob): Findings {
  const reasons: CheckFinding[] = [];
  const warnings: CheckFinding[] = [];
  if (flink.kind === 'silent') {
    warnings.push({
      code: 'FlinkSilent',
      message: `${flink.message}; only the newest checkpoint in the bucket was judged`,
      alternative: 'check again when Flink answers: interval and retention are not known',
    });
  } else if (flink.kind === 'missing') {
    warnings.push({
      code: 'JobUnknown',
      message: `Flink knows no job called ${job}`,
      alternative: 'start it, or correct jobs.name in argus.yaml: it is the name in Flink',
    });
  } else if (flink.state !== 'RUNNING') {
    warnings.push({
      code: 'JobNotRunning',
      message: `the job is ${flink.state} and takes no checkpoints`,
      alternative: "see its exceptions in Flink's web interface",
    });
  }
  if (checkpoint.kind === 'unreadable') {
    reasons.push({
      code: checkpoint.code,
      message: checkpoint.message,
      alternative:
        'it is damaged, or written by a Flink or a connector that Argus does not know: an older checkpoint, or a savepoint of a version that is known (docs/checkpoints.md)',
    });
  } else if (checkpoint.kind === 'none') {
    const told = flink.kind === 'known' ? flink.newestPath : undefined;
    reasons.push(
      told === undefined
        ? {
            code: 'NoCheckpoint',
            message: `no completed checkpoint of ${job} lies under ${bucketUri}/${prefix}`,
            alternative: 'wait for the first one; if some are taken, correct jobs.checkpoints.prefix',
          }
        : {
            code: 'CheckpointElsewhere',
            message: `Flink's newest checkpoint is ${told}, which is not under ${bucketUri}/${prefix}`,
            alternative:
              "set jobs.checkpoints.prefix to Flink's execution.checkpointing.dir, without bucket; the bucket must be the region's",
          },
    );
  }
  return { reasons, warnings, notes: [] };
}

/** What the checkpoint itself says. */
function checkContents({ checkpoint, rpoMs, nowMs, bucketUri, flink }: CheckedJob): Findings {
  if (checkpoint.kind !== 'read') return { reasons: [], warnings: [], notes: [] };
  const { contents } = checkpoint;
  const reasons: CheckFinding[] = [];
  const warnings: CheckFinding[] = [];
  const notes: string[] = [];
  const [first] = contents.outside;
  if (first !== undefined) {
    reasons.push({
      code: 'StateOutsideBucket',
      message: `${contents.outside.length} of ${contents.files} files are not in ${bucketUri}: ${first}`,
      alternative:
        "let the job keep all its state in the region's bucket (execution.checkpointing.dir, dstl.dfs.base-path)",
    });
  }
  if (!contents.changelog && flink.kind === 'known' && flink.settings.checkpointing?.changelog === true) {
    reasons.push({
      code: 'ChangelogNeedsClaim',
      message: `checkpoint ${contents.checkpointId} was taken before the changelog state backend was switched on: it would be restored with NO_CLAIM, which that backend refuses`,
      alternative: 'wait for the next checkpoint',
    });
  } else if (contents.changelog) {
    const aboutMs = estimateCopyMs(contents);
    warnings.push({
      code: 'ChangelogNeedsClaim',
      message: `the changelog state backend can only be restored in the mode CLAIM, from a copy that Flink consumes: making it costs a failover about ${seconds(aboutMs)} (a guess, for ${contents.files} files and ${contents.bytes} bytes), and as much storage again`,
      alternative: 'set state.changelog.enabled: false where that is too long',
    });
  }
  const ageMs = nowMs - contents.completedAtMs;
  if (ageMs > rpoMs) {
    warnings.push({
      code: 'CheckpointOld',
      message: `checkpoint ${contents.checkpointId} is ${seconds(ageMs)} old, the RPO objective is ${seconds(rpoMs)}`,
      alternative: 'see why no newer one completes',
    });
  }
  notes.push(
    `checkpoint ${contents.checkpointId}: metadata version ${contents.metadataVersion}, ${contents.files} files, ${contents.bytes} bytes`,
  );
  if (contents.absoluteFiles > 0)
    notes.push(`${contents.absoluteFiles} files are named by whole URIs, which the replica's metadata rewrites`);
  if (contents.fileMerging) notes.push('file merging: several states share a file');
  if (contents.unaligned) notes.push('unaligned: records in flight are in the state and are not read again');
  return { reasons, warnings, notes };
}

function variants(job: CheckedJob, contents: CheckpointContents): readonly VariantVerdict[] {
  const { outside, changelog } = contents;
  const inBucket = outside.length === 0;
  const sameName = job.bucketUri === job.replicaBucketUri;
  const refusesNoClaim = 'the changelog state backend refuses NO_CLAIM';
  const pending = contents.transactions.length > 0;
  const failsToCommit =
    "it would hold pending transactions of the primary's Kafka, which Flink fails to commit elsewhere";
  return [
    {
      variant: 'rewritten-uris',
      works: inBucket && !changelog,
      why: changelog
        ? refusesNoClaim
        : inBucket
          ? 'what Argus does: every URI is rewritten to the replica'
          : 'files outside the bucket are not replicated',
    },
    {
      variant: 'same-uris',
      works: sameName && inBucket && !changelog && !pending,
      why: changelog
        ? refusesNoClaim
        : pending
          ? failsToCommit
          : sameName
            ? 'both buckets have one name: a plain copy at the same keys is read as it is, if the standby never sees the primary’s endpoint'
            : `the buckets have two names (${job.bucketUri}, ${job.replicaBucketUri})`,
    },
    {
      variant: 'native-savepoint',
      works: !pending,
      why: pending
        ? failsToCommit
        : 'by hand: a savepoint holds only relative names, so a copy of its folder restores; its age is your RPO',
    },
    {
      variant: 'copy-then-claim',
      works: changelog && inBucket,
      why: changelog
        ? 'what Argus does: a failover copies the files on the replica and restores the copy, which Flink deletes by and by'
        : 'only needed with the changelog state backend',
    },
  ];
}

function seconds(ms: number): string {
  return `${Number((ms / 1_000).toFixed(1))} s`;
}
