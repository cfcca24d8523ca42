import { aboutRecord } from '../../../../cli/run-about.ts';
import { type Happening, notBegun, progressed, type RunProgress } from '../../../../cli/tui/run-progress.ts';

/** When the sample run began. */
export const beganAtMs = Date.parse('2026-11-22T03:29:04Z');

const steps = [
  ['stop-jobs', 'Stop counts on mumbai'],
  ['freeze-mirror', 'Stop the mirror to singapore and note where events end'],
  ['choose-recovery-point', 'Choose the newest usable checkpoint (now checkpoint 2 of 2026-11-22T03:29:02.000Z)'],
  ['start-jobs', 'Start counts on singapore'],
  ['promote', 'Make singapore the primary (roles epoch 2); replication is suspended'],
  ['flip-names', 'Point ingest.argus.test to 127.0.2.1'],
] as const;

/** A failover as it would be shown, after these things have happened. */
export function sampleRun(happened: readonly Happening[], more: number = 0): RunProgress {
  const others = Array.from({ length: more }, (_, i) => ({ id: `more-${i}`, title: `Do one more thing, number ${i}` }));
  const details = {
    from: 'mumbai',
    to: 'singapore',
    outageAtMs: beganAtMs - 2_000,
    outageSource: 'first-failed-probe',
    steps: [...steps.map(([id, title]) => ({ id, title })), ...others],
  };
  const usual = new Map(steps.map(([id]) => [id, { medianMs: 4_000, runs: 3 }]));
  const run = { run: '20261122T032904Z-failover-fbb8', runbook: 'failover', details };
  const about = aboutRecord(run, usual, { rto: 900_000 });
  return happened.reduce(progressed, notBegun(about, beganAtMs));
}

/** A step that began, and one that ended, so many milliseconds after the run did. */
export const started = (step: string, ms: number): Happening => ({ kind: 'started', step, atMs: beganAtMs + ms });
export const ended = (
  step: string,
  ms: number,
  found = 'seen',
  status: 'done' | 'failed' | 'taken-back' = 'done',
): Happening => ({
  kind: 'ended',
  step,
  status,
  ms: 1_000,
  found,
  atMs: beganAtMs + ms,
});
