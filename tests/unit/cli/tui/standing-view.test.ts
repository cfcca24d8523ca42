import { renderToString } from 'ink';
import { createElement } from 'react';
import { describe, expect, it } from 'vitest';
import { Lines } from '../../../../cli/tui/drawing.ts';
import type { Size } from '../../../../cli/tui/line.ts';
import { noHistory, remember } from '../../../../cli/tui/standing-history.ts';
import { standingView } from '../../../../cli/tui/standing-view.ts';
import type { Look } from '../../../../cli/watch/look.ts';
import { lookLine } from '../../../../cli/watch/watch-status.ts';
import { lookedAtMs, sampleLook } from './sample-look.ts';

const small: Size = { columns: 80, rows: 24 };
const large: Size = { columns: 200, rows: 50 };

/** As Ink draws it, after these looks. */
function drawn(looks: readonly Look[], size: Size, nowMs = lookedAtMs): string {
  const lines = standingView(looks.at(-1), looks.reduce(remember, noHistory), nowMs, size);
  const text = renderToString(createElement(Lines, { lines, colours: false }), { columns: size.columns });
  expect(text.split('\n').length).toBeLessThanOrEqual(size.rows);
  for (const row of text.split('\n')) expect(row.length).toBeLessThanOrEqual(size.columns);
  return text;
}

const lagging = (lagRecords: number | undefined) =>
  sampleLook({
    mirror: [{ topic: 'events', ...(lagRecords === undefined ? {} : { lagRecords }), lagMs: 900, basis: 'live' }],
  });

const allDark = sampleLook({
  daemon: { seen: true, ageMs: 300, primaryDarkSinceMs: lookedAtMs - 65_000 },
  regions: ['mumbai', 'singapore'].map((name, i) => ({
    name,
    role: i === 0 ? ('primary' as const) : ('standby' as const),
    components: ['kafka', 'objects', 'flink'].map((component) => ({
      component,
      status: i === 0 ? ('unknown' as const) : ('failed' as const),
      latencyMs: 1_500,
      detail: `${component} gave no answer within 1.5 s, however long one waited for it`,
    })),
  })),
  readiness: { status: 'green', sentence: 'RTO about 12 s', ageMs: 600_000 },
  blockers: ['StandbyKafkaDown', 'StandbyFlinkDown', 'DnsApiDown'].map((code) => ({ code, sentence: 'it is down' })),
});

describe.each([
  ['80×24', small],
  ['200×50', large],
])('how things stand, on %s', (_, size) => {
  it('shows roles, parts, lag, recovery points, readiness, verdicts, runs and drills', () => {
    const text = drawn([sampleLook()], size);
    expect(text).toMatch(/^ primary mumbai {2}standby singapore {2}epoch 3, replication active +11:59:59 UTC/);
    expect(text).toMatch(/mumbai \(primary\) +✓ kafka( 4 ms)? {2}✓ objects( 4 ms)? {2}✓ flink( 4 ms)? {2}✓ job counts/);
    expect(text).toMatch(/events +1,234 +900 ms +~1,234/);
    expect(text).toMatch(/counts +checkpoint 42, 11\.0 s old/);
    expect(text).toMatch(/● green 20\.0 s ago {2}if mumbai failed now/);
    expect(text).toMatch(/nothing blocks a failover/);
    expect(text).toMatch(/Healthy {2}both regions answer/);
    expect(text).toMatch(/20261120T090000Z-failover-0001 {2}done/);
    expect(text).toMatch(/ingest\.argus\.test → mumbai/);
  });

  it('shows how the lag went, also where nobody knows it', () => {
    expect(drawn([lagging(0), lagging(undefined), lagging(700)], size)).toMatch(/▁·█/);
  });

  it('keeps both regions and the first blocker in sight when all is dark', () => {
    const text = drawn([allDark], size);
    expect(text).toMatch(/the primary is dark since 11:58:55 UTC, for 1 min 5 s/);
    expect(text).toMatch(/mumbai \(primary\) +\? kafka unknown/);
    expect(text).toMatch(/singapore \(standby\) +✗ kafka failed/);
    expect(text).toMatch(/● was green 10 min 0 s ago/);
    expect(text).toMatch(/blocker {3}StandbyKafkaDown/);
  });

  it('says when the state is away, and that what only it tells is unknown', () => {
    const {
      readiness: _,
      standing: __,
      drill: ___,
      ...look
    } = sampleLook({ runs: {} }, { stateAway: 'no answer within 1.5 s' });
    const { readiness: ____, ...status } = look.status;
    const text = drawn([{ ...look, status }], size);
    expect(text).toMatch(/the state can't be read, so nothing here is by it: no answer within 1\.5 s/);
    expect(text.match(/unknown: the state can not be read/g)).toHaveLength(3);
    expect(text).not.toMatch(/no run yet|no drill yet|no daemon/);
  });

  it('offers to follow a run that is at work', () => {
    const running = {
      id: '20261122T115900Z-failover-0002',
      kind: 'failover',
      state: 'running' as const,
      startedAtMs: lookedAtMs,
    };
    const text = drawn([sampleLook({ runs: { running } })], size);
    expect(text).toMatch(/▸ 20261122T115900Z-failover-0002 {2}running/);
    expect(text).toMatch(/r follows the run/);
  });

  it('tells the age of what it shows, once it is old', () => {
    expect(drawn([sampleLook()], size, lookedAtMs + 30_000)).toMatch(/looked 30\.5 s ago/);
  });
});

it('fits into any size', () => {
  for (const columns of [1, 40, 79, 149, 150, 300])
    for (const rows of [1, 8, 24, 90])
      expect(standingView(allDark, noHistory, lookedAtMs, { columns, rows }).length).toBeLessThanOrEqual(rows);
});

it('is one line where there is no terminal', () => {
  expect(lookLine(sampleLook())).toBe(
    '2026-11-22T11:59:59Z; primary mumbai, standby singapore; all ok; events 1234 behind (900 ms); readiness green',
  );
  expect(lookLine(allDark)).toMatch(
    /mumbai kafka unknown, .*; blockers StandbyKafkaDown, StandbyFlinkDown, DnsApiDown/,
  );
});
