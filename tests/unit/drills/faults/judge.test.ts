import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultNames } from '../../../../domain/fault-config.ts';
import { whyNotCalm } from '../../../../drills/faults/calm.ts';
import { allFaults, faultAs, faultCatalogue, type Sign } from '../../../../drills/faults/catalogue.ts';
import { afterLook, newPhase, outcomeOf, phaseNow } from '../../../../drills/faults/judge.ts';
import type { FaultLook } from '../../../../drills/faults/look.ts';
import { verdictTable } from '../../../../health/verdict-table.ts';
import { calmLook, calmSettings } from './fault-world.ts';

describe('the catalogue', () => {
  test('has every fault, and says of each what breaks, how Argus behaves, and by when it is seen', () => {
    expect(allFaults.map((f) => f.name)).toEqual(faultNames);
    for (const fault of allFaults) {
      expect(fault.during.length, fault.name).toBeGreaterThan(0);
      expect(fault.after.map((e) => e.id)).toEqual([
        'parts-well',
        'mirror-caught-up',
        'checkpoint-after',
        'verdicts-gone',
      ]);
      for (const text of [fault.breaks, fault.hook, fault.behaviour]) expect(text.length).toBeGreaterThan(10);
      expect(fault.leastMs).toBeLessThan(fault.holdMs);
      for (const e of fault.during) expect(e.withinMs, e.says).toBeLessThanOrEqual(fault.holdMs);
    }
  });

  test('no fault but a dark primary may be taken for a dead one', () => {
    for (const { name, during, looksDead } of allFaults) {
      const codes = during.flatMap((e) => (e.sign.kind === 'verdict' ? e.sign.anyOf : []));
      expect(
        codes.some((c) => verdictTable[c].act === 'failover'),
        name,
      ).toBe(looksDead);
    }
  });

  test('docs/fault-drills.md has each with its verdicts and times', () => {
    const rows = readFileSync(join(import.meta.dirname, '../../../../docs/fault-drills.md'), 'utf8').split('\n');
    for (const { name, during, leastMs, holdMs } of allFaults) {
      const row = rows.find((line) => line.startsWith(`| \`${name}\``));
      expect(row, name).toContain(`${leastMs / 1_000} to ${holdMs / 1_000} s`);
      const codes = during.flatMap((e) => (e.sign.kind === 'verdict' ? e.sign.anyOf : []));
      for (const code of codes) expect(row, name).toContain(`\`${code}\``);
    }
  });

  test('a configuration has its own verdicts, or none', () => {
    const verdicts = (own: Parameters<typeof faultAs>[1]) =>
      faultAs(faultCatalogue['broker-down'], own).during.flatMap((e) =>
        e.sign.kind === 'verdict' ? e.sign.anyOf : [],
      );
    expect(verdicts({})).toEqual(['PrimaryDegraded']);
    expect(verdicts({ verdicts: ['MirrorStalled'] })).toEqual(['MirrorStalled']);
    expect(verdicts({ verdicts: [] })).toEqual([]);
    expect(faultAs(faultCatalogue['broker-down'], { hold: 5_000 })).toMatchObject({ holdMs: 5_000, leastMs: 5_000 });
  });
});

const broken = calmLook().parts;
const signs: readonly (readonly [string, Sign, Partial<FaultLook>, boolean])[] = [
  ['a part that is well', { kind: 'part-bad', part: 'kafka' }, {}, false],
  [
    'a part that is not heard',
    { kind: 'part-bad', part: 'kafka' },
    { parts: { ...broken, primary: { ...broken.primary, kafka: 'unknown' } } },
    true,
  ],
  ['as many slots as before', { kind: 'slots-fewer' }, {}, false],
  ['fewer slots', { kind: 'slots-fewer' }, { slots: 1 }, true],
  ['an API that answers', { kind: 'dns-api-bad' }, {}, false],
  ['an API that fails', { kind: 'dns-api-bad' }, { dnsApi: 'failed' }, true],
  ['names as before', { kind: 'names-answer' }, {}, true],
  [
    'a name that answers otherwise',
    { kind: 'names-answer' },
    { names: { 'ingest.argus.test 127.0.0.1:53': '' } },
    false,
  ],
  ['a look that is 100 ms longer', { kind: 'kafka-slower', byMs: 200 }, { kafkaMs: 105 }, false],
  ['a look that is 900 ms longer', { kind: 'kafka-slower', byMs: 200 }, { kafkaMs: 905 }, true],
  ['nobody who tells verdicts', { kind: 'verdict', anyOf: ['PrimaryDegraded'] }, {}, false],
  ['part of what was there', { kind: 'parts-well' }, { bad: ['kafka of mumbai is failed'] }, false],
  ['nothing new that is bad', { kind: 'parts-well' }, {}, true],
  ['no recovery point', { kind: 'checkpoint-after' }, { points: { counts: undefined } }, false],
];

test.each(signs)('%s', (_what, sign, changes, met) => {
  const expectation = { id: 'x', says: 'x', sign, withinMs: 1_000 };
  const look = calmLook(changes);
  const basis = { fault: faultCatalogue['dns-api-down'], expect: [expectation], calm: calmLook() };
  const phase = afterLook(newPhase(look.atMs), look, basis);
  expect(phase.met.length).toBe(met ? 1 : 0);
  expect(outcomeOf(phase, look, basis)[0]?.seen).not.toBe('');
});

test('the mirror goes on when the standby reaches what the primary held seconds before', () => {
  const basis = {
    fault: faultCatalogue['dns-api-down'],
    expect: [{ id: 'm', says: 'm', sign: { kind: 'mirror-advances' }, withinMs: 60_000 } as const],
    calm: calmLook(),
  };
  const t = calmLook().atMs;
  const at = (ms: number, standby: bigint) =>
    calmLook({ atMs: t + ms, primaryEnds: { 'events-0': 200n }, standbyEnds: { 'events-0': standby } });
  const first = afterLook(newPhase(t), at(0, 200n), basis);
  expect(first.met).toEqual([]);
  const behind = afterLook(first, at(5_000, 150n), basis);
  expect(behind.met).toEqual([]);
  expect(outcomeOf(behind, at(5_000, 150n), basis)[0]?.seen).toBe('50 records are missing');
  expect(afterLook(behind, at(6_000, 200n), basis).met).toHaveLength(1);
});

test('a checkpoint is behind the heal when it is newer than the one that was there, whatever the clocks say', () => {
  const basis = {
    fault: faultCatalogue['dns-api-down'],
    expect: [{ id: 'c', says: 'c', sign: { kind: 'checkpoint-after' }, withinMs: 60_000 } as const],
    calm: calmLook(),
  };
  // The store's clock is years ahead, or behind.
  for (const store of [1_900_000_000_000, 1_000]) {
    const at = (ms: number | undefined) => calmLook({ points: { counts: ms === undefined ? ms : store + ms } });
    const unknown = afterLook(newPhase(calmLook().atMs), at(undefined), basis);
    const first = afterLook(unknown, at(0), basis);
    expect(first.met).toEqual([]);
    const same = afterLook(first, at(0), basis);
    expect(same.met).toEqual([]);
    expect(outcomeOf(same, at(0), basis)[0]?.seen).toBe('counts: none that is newer than the heal');
    expect(afterLook(same, at(1), basis).met).toHaveLength(1);
  }
});

test('a verdict is withdrawn when somebody tells verdicts and not this one', () => {
  const basis = {
    fault: faultCatalogue['broker-down'],
    expect: [{ id: 'v', says: 'v', sign: { kind: 'verdicts-gone' }, withinMs: 60_000 } as const],
    calm: calmLook(),
  };
  const { standing: _, ...silent } = calmLook();
  const verdicts = [{ code: 'PrimaryDegraded', severity: 'warning', sentence: 'it is' }];
  const still = calmLook({ standing: { mode: 'manual', verdicts, decision: 'idle' } });
  const seen = (look: FaultLook, told: readonly string[]) =>
    outcomeOf(afterLook(newPhase(0), look, { ...basis, told }), look, { ...basis, told })[0];
  expect(seen(silent, ['PrimaryDegraded'])).toMatchObject({ seen: 'nobody tells verdicts' });
  expect(seen(silent, ['PrimaryDegraded'])?.afterMs).toBeUndefined();
  expect(seen(still, ['PrimaryDegraded'])?.afterMs).toBeUndefined();
  expect(seen(calmLook(), ['PrimaryDegraded'])?.afterMs).toBeDefined();
  expect(seen(silent, [])?.afterMs).toBeDefined();
});

test('a phase is late only when nothing that is still missing can come in time', () => {
  const expectations = [
    { id: 'a', says: 'a', sign: { kind: 'parts-well' }, withinMs: 10 },
    { id: 'b', says: 'b', sign: { kind: 'parts-well' }, withinMs: 20 },
  ] as const;
  const phase = newPhase(0);
  expect(phaseNow(phase, 5, { expect: expectations }).kind).toBe('open');
  expect(phaseNow(phase, 15, { expect: expectations }).kind).toBe('open');
  expect(phaseNow(phase, 25, { expect: expectations }).kind).toBe('late');
});

describe('nothing is broken', () => {
  const fault = faultCatalogue['broker-down'];
  const run = { id: '20261122T000000Z-failover-0001', kind: 'failover', state: 'running' };
  const warning = { code: 'MirrorStalled', severity: 'warning', sentence: 'it stands' };
  const { standing: _standing, ...untold } = calmLook();
  const { primaryEnds: _ends, ...unread } = calmLook();
  test.each([
    ['while a run goes on', calmLook({ run }), 'RunOpen'],
    ['while a run is cut off', calmLook({ run: { ...run, state: 'interrupted' } }), 'RunOpen'],
    ['behind a promotion', calmLook({ roles: { epoch: 2, replication: 'suspended' } }), 'ReplicationSuspended'],
    [
      'while a verdict warns',
      calmLook({ standing: { mode: 'manual', verdicts: [warning], decision: 'idle' } }),
      'NotCalm',
    ],
    ['while a part is bad', calmLook({ bad: ['kafka of singapore is failed'] }), 'NotCalm'],
    ['while nobody tells verdicts', untold, 'NobodyTells'],
    ['without a recovery point', calmLook({ points: { counts: undefined } }), 'NoRecoveryPoint'],
    ['while the logs can’t be read', unread, 'NotCalm'],
  ])('%s', (_when, look, code) => {
    expect(whyNotCalm({ fault, look, ...calmSettings })).toMatchObject({ code });
  });

  test('that automatic mode would take for a dead primary', () => {
    const automatic = { ...calmSettings.automatic, mode: 'automatic' as const };
    const dark = faultCatalogue['primary-dark'];
    expect(whyNotCalm({ fault: dark, look: calmLook(), ...calmSettings, automatic })?.code).toBe('WouldFailOver');
    expect(whyNotCalm({ fault, look: calmLook(), ...calmSettings, automatic })).toBeUndefined();
  });

  test('that is not there', () => {
    const api = faultCatalogue['api-server-frozen'];
    expect(whyNotCalm({ fault: api, look: calmLook(), ...calmSettings, kubernetes: false })?.code).toBe('NoKubernetes');
  });
});
