import { describe, expect, it } from 'vitest';
import { renderReport } from '../../../cli/render-failover.ts';
import type { FailoverReport } from '../../../runbooks/failover/report.ts';

const report = (over: Partial<FailoverReport>): string =>
  renderReport({
    run: '20261121T103000Z-failover-1a2b',
    epoch: 1,
    outcome: 'done',
    from: 'mumbai',
    to: 'singapore',
    outageAtMs: 0,
    outageSource: 'run-start',
    rtoMs: 12_000,
    steps: [],
    rpo: { topics: {} },
    replayedRecords: 5,
    recoveryPoint: null,
    recoveryPoints: [],
    rejected: [],
    droppedTransactions: [],
    unfenced: false,
    promotedAt: [],
    compensated: [],
    pastReturn: true,
    ...over,
  });

const topics = (loss: FailoverReport['rpo']['topics'][string]) => ({ rpo: { topics: { events: loss } } });

describe('the report of a failover', () => {
  it.each<[string, Partial<FailoverReport>, RegExp]>([
    [
      'says that it has to be gone on with',
      { outcome: 'interrupted' },
      /past the point of no return: singapore has begun/,
    ],
    [
      'says that nothing has changed hands',
      { outcome: 'interrupted', pastReturn: false },
      /before the point of no return: singapore is the standby as it was/,
    ],
    [
      'says which jobs it may have left stopped',
      { outcome: 'failed', pastReturn: false, leftStopped: ['counts'] },
      /counts on mumbai may have been stopped by this run/,
    ],
    [
      'calls the RTO of an outage that nobody saw begin a lower bound',
      { outageEarliestAtMs: -60_000, rtoMaxMs: 72_000 },
      /RTO 12\.0 s, .*; at least, since nobody watched .*, at most 1 min 12 s/,
    ],
    [
      'calls an estimate one, with what it may have been',
      topics({ estimatedRecords: 7, boundRecords: 90, ms: 67, estimated: true }),
      /about 7 records \(up to 90 if its clients went on until the names moved\), 67 ms, an estimate\n/,
    ],
    [
      'says that an estimate builds on an old sight',
      topics({ estimatedRecords: 7, ms: 67, estimated: true, unseenMs: 120_000 }),
      /an estimate from a last sight 2 min 0 s before the outage/,
    ],
    [
      'calls unknown what nobody knows',
      topics({ estimatedRecords: null, ms: null, estimated: true }),
      /an unknown number of records/,
    ],
    [
      'asks for a recount unless the loss was counted',
      topics({ estimatedRecords: 0, ms: 0, estimated: true }),
      /argus runs show .* --recount/,
    ],
  ])('%s', (_rule, over, text) => {
    expect(report(over)).toMatch(text);
  });

  it('asks for no recount when the log ends were read after the names had moved', () => {
    const text = report(topics({ estimatedRecords: 0, ms: 0, estimated: false, proven: true }));
    expect(text).not.toContain('--recount');
    expect(text).toContain('RPO events: nothing: its log ends were read once the names had moved');
  });
});
