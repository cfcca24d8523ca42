import { expect, test } from 'vitest';
import { causeOfFailure } from '../../../../drills/prove/start-failure.ts';

const id = '0da08f4a8e2b3c5d6e7f80912a3b4c5d';

test.each([
  [
    'OperatorMissing',
    `java.lang.IllegalStateException: There is no operator for the state ${id}`,
    `counts: the job has no operator ${id}, of which the checkpoint holds state (counter)`,
  ],
  [
    'OperatorMissing',
    `Failed to rollback to checkpoint/savepoint s3://b/c. Cannot map checkpoint/savepoint state for operator ${id} to the new program, because the operator is not available in the new program.`,
    `counts: the job has no operator ${id}, of which the checkpoint holds state (counter)`,
  ],
  [
    'StateFileMissing',
    'java.io.FileNotFoundException: No such file or directory: s3://flink/argus/replica/x',
    "counts: a file that the job's state needs could not be read: FileNotFoundException: No such file or directory: s3://flink/argus/replica/x",
  ],
  [
    'StateFileDamaged',
    'org.rocksdb.RocksDBException: Corruption: block checksum mismatch\n\tat org.rocksdb',
    "counts: the job's state could not be read: Corruption: block checksum mismatch",
  ],
  [
    'DrillNotAllowed',
    'org.apache.kafka.common.errors.TransactionalIdAuthorizationException: denied',
    "counts: the drill's principal lacks a right: TransactionalIdAuthorizationException: denied",
  ],
  [
    'JobFailed',
    'java.lang.ArithmeticException: / by zero\n\tat x',
    'counts does not run: java.lang.ArithmeticException: / by zero',
  ],
])('%s is known by what Flink says', (code, failure, message) => {
  const cause = causeOfFailure('counts', failure, (operator) => (operator === id ? 'counter' : undefined));
  expect(cause).toMatchObject({ job: 'counts', code, message });
});
