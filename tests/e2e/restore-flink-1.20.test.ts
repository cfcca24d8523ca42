import { beforeAll, test } from 'vitest';
import { expectRestored, installFlink, playRestore } from '../support/restore-case.ts';
import { restoreCase } from '../support/restore-cases.ts';

// The other Flink is in failover.test.ts, every setting of both in tests/full/restore-matrix.test.ts.
const version = '1.20';

beforeAll(() => installFlink({ version, settings: {} }));

test('a job of Flink 1.20 with records in flight is restored from the replica, the primary destroyed', async () => {
  const unaligned = restoreCase('unaligned');
  expectRestored(await playRestore({ version, settings: unaligned.settings }), version, unaligned);
});
