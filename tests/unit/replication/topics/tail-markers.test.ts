import { describe, expect, test } from 'vitest';
import { readBatch } from '../../../../regions/kafka/record-batch.ts';
import { markerStop } from '../../../../replication/topics/marker-watch.ts';
import { decideTailMarkers } from '../../../../replication/topics/tail-markers.ts';
import { batchBytes } from '../../regions/kafka/batches.ts';

const control = (type: number) => Buffer.from([16, 0, 0, 0, 8, 0, 0, 0, type, 12, 0, 0, 0, 0, 0, 0, 0]);
const marker = (baseOffset: bigint, producerId: bigint, outcome: 'commit' | 'abort') =>
  readBatch(batchBytes({ baseOffset, producerId, attributes: 0x30, payload: control(outcome === 'commit' ? 1 : 0) }));
const records = (baseOffset: bigint, fields: Parameters<typeof batchBytes>[0] = {}) =>
  readBatch(batchBytes({ baseOffset, ...fields }));

describe('a marker that was waited for', () => {
  const wanted = { offset: 10n, producerId: 7n, outcome: 'commit' } as const;
  test.each([
    ['the one that was asked for', marker(10n, 7n, 'commit'), undefined],
    ['another producer`s', marker(10n, 8n, 'commit'), 'ForeignMarker'],
    ['the other outcome', marker(10n, 7n, 'abort'), 'ForeignMarker'],
    ['one behind it', marker(11n, 7n, 'commit'), 'ForeignMarker'],
    ['records', records(10n, { producerId: 7n }), 'ForeignMarker'],
  ])('%s', (_name, batch, reason) => {
    expect(markerStop(batch, wanted)?.reason).toBe(reason);
  });
});

describe('the markers in which the standby`s log ends', () => {
  const ours = marker(10n, 70n, 'abort');
  const none = new Map<bigint, bigint>();
  test.each([
    ['are the source`s', [{ standby: ours, source: marker(10n, 7n, 'abort') }], none, undefined],
    ['fill a hole', [{ standby: ours, source: records(12n) }], none, undefined],
    [
      'fill what a compacted batch left',
      [{ standby: ours, source: records(9n, { lastOffsetDelta: 4, recordCount: 2 }) }],
      none,
      undefined,
    ],
    [
      'fill a batch without records',
      [{ standby: ours, source: records(10n, { lastOffsetDelta: 0, recordCount: 0 }) }],
      none,
      undefined,
    ],
    ['stand where retention took the source`s', [{ standby: ours, source: undefined }], none, undefined],
    ['stand where the source has records', [{ standby: ours, source: records(10n) }], none, 'ForeignMarker'],
    ['say another outcome', [{ standby: ours, source: marker(10n, 7n, 'commit') }], none, 'ForeignMarker'],
    [
      'took the place of one whose transaction still stands open',
      [{ standby: ours, source: marker(10n, 7n, 'abort') }],
      new Map([[7n, 3n]]),
      'ForeignMarker',
    ],
    [
      'took that place before the newest',
      [
        { standby: marker(11n, 70n, 'abort'), source: marker(11n, 8n, 'abort') },
        { standby: ours, source: marker(10n, 7n, 'abort') },
      ],
      new Map([[7n, 3n]]),
      'ForeignMarker',
    ],
    [
      'ended the one before the transaction that stands open now',
      [
        { standby: marker(12n, 70n, 'abort'), source: marker(12n, 8n, 'abort') },
        { standby: ours, source: marker(10n, 7n, 'abort') },
      ],
      new Map([[7n, 11n]]),
      undefined,
    ],
  ] as const)('%s', (_name, run, open, reason) => {
    expect(decideTailMarkers(run, open)?.reason).toBe(reason);
  });
});
