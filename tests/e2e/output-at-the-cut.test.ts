import { expect, test } from 'vitest';
import { expectAgreement, playOutput, until } from '../support/output-case.ts';

// A mirror that lags behind, and a gap that is accepted: tests/full/output-at-the-cut.test.ts.
test('a restore amidst transactions misses no output, and the auditor counts as many doubles as were reported', async () => {
  const outcome = await playOutput({
    // The mirror commits on the standby what no checkpoint on the replica covers: the restored job makes it again.
    async prepare(lab) {
      await lab.cutObjects();
      const at = await lab.newestCompleted();
      await until('two more checkpoints of the job', 90_000, async () => (await lab.newestCompleted()) >= at + 2);
    },
  });
  expect(outcome.report.droppedTransactions.length).toBeGreaterThan(0);
  expect(outcome.report.outputGap).toEqual([]);
  expect(outcome.counted.doubled).toBeGreaterThan(0);
  expectAgreement(outcome);
}, 480_000);
