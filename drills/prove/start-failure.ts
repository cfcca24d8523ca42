import type { DrillCause } from '../drill-report.ts';

/** What Flink and Kafka's clients say, and what it is. The first that fits counts: the more telling ones come first. */
const known: readonly {
  readonly code: string;
  readonly says: RegExp;
  readonly means: (match: RegExpExecArray) => string;
  readonly hint?: string;
}[] = [
  {
    // Source: Checkpoints.loadAndValidateCheckpoint and StateAssignmentOperation, Flink 1.20 and 2.2.
    code: 'OperatorMissing',
    says: /(?:state for operator|no operator for the state) ([0-9a-f]{32})/i,
    means: ([, id]) => `the job has no operator ${id}, of which the checkpoint holds state`,
    hint: 'the job that the standby starts is not the one that runs: an operator has another uid, or is gone',
  },
  {
    code: 'ParallelismMismatch',
    says: /max(?:imum)? parallelism (?:mismatch|\((\d+)\) (?:is different|that is lower)|\((\d+)\))/i,
    means: () => 'the job has another maximum parallelism than its checkpoint',
    hint: 'give the job on the standby the same parallelism and maximum parallelism',
  },
  {
    code: 'StateFileMissing',
    says: /(?:NoSuchKey|FileNotFoundException|Cannot find checkpoint or savepoint|NoSuchFileException|NoSuchBucket)[^\n]*/,
    means: ([what]) => `a file that the job's state needs could not be read: ${what}`,
    hint: '`argus checkpoints verify` tells which files lack',
  },
  {
    code: 'StateIncompatible',
    says: /(?:StateMigrationException|incompatible)[^\n]*/,
    means: ([what]) => `the job can't read its own state: ${what}`,
    hint: 'the job that the standby starts is not the one that wrote the checkpoint',
  },
  {
    code: 'StateFileDamaged',
    says: /(?:Corruption:|ChecksumException|StreamCorruptedException|EOFException|BackendBuildingException)[^\n]*/,
    means: ([what]) => `the job's state could not be read: ${what}`,
    hint: '`argus checkpoints verify` reads every byte of it',
  },
  {
    code: 'DrillNotAllowed',
    says: /(?:TopicAuthorization|GroupAuthorization|TransactionalIdAuthorization|ClusterAuthorization)\w*[^\n]*/,
    means: ([what]) => `the drill's principal lacks a right: ${what}`,
    hint: 'docs/drills.md lists the rights that a drill needs',
  },
  {
    code: 'NoSlots',
    says: /NoResourceAvailableException|not enough (?:resources|slots)/i,
    means: () => "Flink has not enough free slots for the drill's job",
    hint: 'give the session cluster of drills more slots',
  },
];

/**
 * Why a job that was to be restored doesn't run, from what Flink recorded of it. `nameOf` gives an operator's name by its
 * id, where the checkpoint has one. What isn't known is `JobFailed`, in Flink's own words. Pure.
 */
export function causeOfFailure(
  job: string,
  failure: string,
  nameOf: (operatorId: string) => string | undefined = () => undefined,
): DrillCause {
  for (const { code, says, means, hint } of known) {
    const match = says.exec(failure);
    if (match === null) continue;
    const name = code === 'OperatorMissing' ? nameOf(match[1] ?? '') : undefined;
    const which = name === undefined ? '' : ` (${name})`;
    return { job, code, message: `${job}: ${means(match)}${which}`, ...(hint === undefined ? {} : { hint }) };
  }
  return { job, code: 'JobFailed', message: `${job} does not run: ${failure.split('\n')[0]}` };
}
