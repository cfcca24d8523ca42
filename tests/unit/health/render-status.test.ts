import { describe, expect, it } from 'vitest';
import { formatMs, renderStatus } from '../../../health/render-status.ts';
import { assembleStatus } from '../../../health/status.ts';
import { darkRegion, facts, ok, region, sighting } from './status-sample.ts';

describe('formatMs', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [2_400, '2.4 s'],
    [59_960, '1 min 0 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
  ])('%d → %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });
});

describe('renderStatus', () => {
  it('tells everything in one screen', () => {
    expect(renderStatus(assembleStatus(facts()), { colours: false })).toMatchInlineSnapshot(`
      "primary mumbai, standby singapore  (epoch 1; replication active)

      mumbai (primary)
        kafka       ok           3 ms
        objects     ok           3 ms
        flink       ok           3 ms  2 of 4 slots free
        job counts  ok           3 ms  RUNNING
      singapore (standby)
        kafka    ok           3 ms
        objects  ok           3 ms
        flink    ok           3 ms  2 of 4 slots free
      names
        ingest.argus.test at 127.0.0.1:5353  ok       127.0.1.1 (mumbai)

      topic   lag records  lag           would be lost now
      events  10           200 ms  live  10 records, 200 ms
      recovery point of counts: checkpoint 12, 4.0 s old
      daemon: seen 500 ms ago

      nothing blocks a failover
      "
    `);
  });

  it('labels what is an estimate, and names what is dark', () => {
    const regions = [darkRegion('mumbai'), region('singapore', [995n, 500n])];
    const text = renderStatus(
      assembleStatus(facts({ regions, sighting: ok(sighting({ firstFailureAtMs: 99_400 })) })),
      { colours: false },
    );
    expect(text).toContain('about 45 records, 600 ms');
    expect(text).toContain('when last seen');
    expect(text).toContain('kafka       unknown     2.0 s  no answer within 2 s');
    expect(text).toContain('the primary is dark since 1970-01-01 00:01:39 UTC');
  });

  it('paints only when asked', () => {
    const view = assembleStatus(facts());
    expect(renderStatus(view, { colours: false })).not.toContain('\u001b[');
    expect(renderStatus(view, { colours: true })).toContain('\u001b[32mok');
  });
});
