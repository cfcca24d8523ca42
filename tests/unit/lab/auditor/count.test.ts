import { describe, expect, it } from 'vitest';
import { type AuditInput, type AuditResult, countAudit } from '../../../../lab/auditor/count.ts';
import type { LedgerEntry } from '../../../../lab/traffic/ledger.ts';

/** `k1` is the first event of key `k`. */
const event = (id: string, offset: number) => ({ partition: 0, offset, id, key: id[0]!, seq: Number(id.slice(1)) });
const log = (...ids: string[]) => ids.map(event);
const answered = (status: LedgerEntry['status'], ...ids: string[]): LedgerEntry[] =>
  ids.map((id) => ({ id, key: id[0]!, seq: Number(id.slice(1)), sentAtMs: 1, status }));
const metrics = (...counts: [key: string, count: number][]) =>
  counts.map(([key, count], offset) => ({ partition: 0, offset, key, count, id: `${key}${count}` }));

const clean: AuditResult = {
  acknowledged: 0,
  onStandby: 0,
  oldPrimaryRead: true,
  orphans: 0,
  lost: 0,
  lostUnknown: 0,
  vanished: 0,
  refusedButWritten: 0,
  duplicated: 0,
  misordered: 0,
  flink: { keys: 0, wrongCounts: 0 },
  outputDuplicates: 0,
};

const cases: [rule: string, input: Partial<AuditInput>, expected: Partial<AuditResult>][] = [
  ['nothing at all is clean', {}, {}],
  [
    'a mirror that kept everything is clean',
    {
      ledger: answered('acknowledged', 'a1', 'a2', 'b1'),
      oldEvents: log('a1', 'b1'),
      standbyEvents: log('a1', 'b1', 'a2'),
      standbyMetrics: metrics(['a', 1], ['b', 1], ['a', 2]),
    },
    { acknowledged: 3, onStandby: 3, flink: { keys: 2, wrongCounts: 0 } },
  ],
  [
    'an orphan that was acknowledged is lost',
    { ledger: answered('acknowledged', 'a1'), oldEvents: log('a1') },
    { acknowledged: 1, orphans: 1, lost: 1 },
  ],
  [
    'an orphan whose answer never came is lost unknown, in the ledger or not',
    { ledger: answered('unknown', 'a1'), oldEvents: log('a1', 'a2') },
    { orphans: 2, lostUnknown: 2 },
  ],
  [
    'an orphan that was refused stands there wrongly',
    { ledger: answered('refused', 'a1', 'a2'), oldEvents: log('a1') },
    { orphans: 1, lostUnknown: 1, refusedButWritten: 1 },
  ],
  [
    'orphans are counted by record, not by id',
    {
      oldEvents: log('a1', 'a1', 'a1'),
      standbyEvents: log('a1'),
      standbyMetrics: metrics(['a', 1]),
    },
    { onStandby: 1, orphans: 2, lostUnknown: 2, flink: { keys: 1, wrongCounts: 0 } },
  ],
  [
    'an acknowledged event in neither log is lost and vanished, not an orphan',
    { ledger: answered('acknowledged', 'a1') },
    { acknowledged: 1, lost: 1, vanished: 1 },
  ],
  ['an unknown event in neither log is nobody’s loss', { ledger: answered('unknown', 'a1') }, {}],
  [
    'an id that stands three times on the standby is one duplicate, and the same number again is not misordered',
    { standbyEvents: log('a1', 'a1', 'a1'), standbyMetrics: metrics(['a', 3]) },
    { onStandby: 3, duplicated: 1, flink: { keys: 1, wrongCounts: 0 } },
  ],
  [
    'every record below an earlier one of its key is misordered; a gap is not',
    { standbyEvents: log('a1', 'a9', 'a3', 'b1', 'a4', 'a10'), standbyMetrics: metrics(['a', 5], ['b', 1]) },
    { onStandby: 6, misordered: 2, flink: { keys: 2, wrongCounts: 0 } },
  ],
  [
    'the last count of a key must be the number of its records; missing and surplus keys are wrong, too',
    {
      standbyEvents: log('a1', 'a2', 'b1', 'c1'),
      standbyMetrics: metrics(['a', 1], ['b', 1], ['d', 1]),
    },
    { onStandby: 4, flink: { keys: 4, wrongCounts: 3 } },
  ],
  [
    'a count that is told again is an output duplicate',
    { standbyEvents: log('a1', 'a2'), standbyMetrics: metrics(['a', 1], ['a', 1], ['a', 2], ['b', 1], ['b', 1]) },
    { onStandby: 2, outputDuplicates: 2, flink: { keys: 2, wrongCounts: 1 } },
  ],
];

describe('the audit', () => {
  it.each(cases)('%s', (_rule, input, expected) => {
    const full = { ledger: [], oldEvents: [], standbyEvents: [], standbyMetrics: [], ...input };
    expect(countAudit(full)).toEqual({ ...clean, ...expected });
  });

  it('without the old primary’s log tells only what is lost for sure', () => {
    const ledger = [...answered('acknowledged', 'a1', 'a2'), ...answered('unknown', 'a3')];
    const result = countAudit({ ledger, standbyEvents: log('a1'), standbyMetrics: metrics(['a', 1]) });
    expect(result).toEqual({
      ...clean,
      oldPrimaryRead: false,
      acknowledged: 2,
      onStandby: 1,
      lost: 1,
      flink: { keys: 1, wrongCounts: 0 },
    });
  });
});
