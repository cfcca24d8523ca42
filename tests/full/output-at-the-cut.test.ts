import { expect, test } from 'vitest';
import { expectAgreement, type OutputLab, playOutput, until } from '../support/output-case.ts';

/** The output's mirror stands still while two checkpoints more are replicated. */
async function holdOutput(lab: OutputLab): Promise<void> {
  await lab.argus('mirror', 'pause', '--topic', 'metrics');
  const at = await lab.newestReplicated();
  await until('checkpoints newer than the mirror', 120_000, async () => (await lab.newestReplicated()) >= at + 3);
}

test('while the mirror lags behind, the newest point whose output it has is taken: nothing is missing', async () => {
  const outcome = await playOutput({ prepare: holdOutput });
  const { report } = outcome;
  expect(report.rejected.filter((r) => r.code === 'SinkNotMirrored').length).toBeGreaterThanOrEqual(2);
  expect(report.outputGap).toEqual([]);
  expect(outcome.counted.missing).toBe(0);
  expectAgreement(outcome);
});

test('a newer point is taken only when a gap is accepted, and as many records are missing as were reported', async () => {
  const outcome = await playOutput({ prepare: holdOutput, flags: ['--accept-output-gap'] });
  const { report } = outcome;
  expect(report.rejected.filter((r) => r.code.startsWith('Sink'))).toEqual([]);
  expect(report.recoveryPoint.checkpointId).toBeGreaterThanOrEqual(outcome.newestBefore + 2);
  expect(report.outputGap.length).toBeGreaterThan(0);
  expect(outcome.counted.missing).toBeGreaterThan(0);
  expectAgreement(outcome);
});
