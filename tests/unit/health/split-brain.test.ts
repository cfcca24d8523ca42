import { expect, test } from 'vitest';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { afterLook, type Seen, seenKey } from '../../../domain/observation.ts';
import type { ProbeTaskParts } from '../../../health/probe-tasks.ts';
import { fenceSights } from '../../../health/probes/replication.ts';
import { regionTasks } from '../../../health/region-tasks.ts';
import type { Sight } from '../../../health/sight.ts';
import { judge, noMemory } from '../../../health/verdict.ts';
import type { Region } from '../../../regions/region.ts';
import { settingsOf } from './simulated-watch.ts';

const config = { topics: [], jobs: [{ name: 'counts' }], probes: { period: 1_000, deadline: 1_000, writes: false } };

/** What an observer tells of Flink in a region where these jobs run. */
async function flinkLooks(region: string, running: readonly string[]): Promise<readonly Sight[]> {
  const flink = {
    list: async () => running.map((name) => ({ id: name, name, state: 'RUNNING', startedAtMs: 1 })),
    slots: async () => ({ free: 1, total: 2 }),
    checkpoints: async () => Promise.reject(new Error('none')),
    settings: async () => Promise.reject(new Error('none')),
  };
  const parts = { config, clock: wallClock, observer: 'west', links: {} } as unknown as ProbeTaskParts;
  const tasks = regionTasks(parts, { name: region, flink } as unknown as Region, () => 'blue');
  const task = tasks.find((t) => t.name === `flink ${region}`);
  return (await task?.look({ signal: new AbortController().signal })) ?? [];
}

/** Codes that stand after one observer saw these, a second apart, each new look replacing what it was of. */
async function codesAfter(observer: string, looks: readonly (readonly Sight[])[]): Promise<readonly string[]> {
  const settings = settingsOf();
  let memory = noMemory;
  let codes: readonly string[] = [];
  let seen = new Map<string, Seen>();
  for (const [i, sights] of looks.entries()) {
    const monotonicMs = i * 1_000;
    const atMs = 5_000_000 + monotonicMs;
    const regions = new Set(sights.map((s) => s.region));
    const kept = [...seen].filter(([, s]) => !regions.has(s.region));
    const now = sights.map((s): [string, Seen] => [
      seenKey(s),
      afterLook(seen.get(seenKey(s)), { ...s, observer, atMs }),
    ]);
    seen = new Map([...kept, ...now]);
    const report = { observer, place: 'outside', atMs, sequence: i, seen: [...seen.values()] };
    const reports = [{ report, heardAtMs: monotonicMs }];
    const input = { nowMs: atMs, monotonicMs, reports, primary: 'blue', standby: 'green', settings };
    const judged = judge(memory, input);
    memory = judged.memory;
    codes = judged.verdicts.map((v) => v.code);
  }
  return codes;
}

const [here, noneHere, there, noneThere] = await Promise.all([
  flinkLooks('blue', ['counts']),
  flinkLooks('blue', []),
  flinkLooks('green', ['counts', 'another']),
  flinkLooks('green', []),
]);

test('a job that runs in the standby is told there, and one that doesn’t is not missed', () => {
  expect(there).toMatchObject([
    { probe: 'flink', status: 'ok' },
    { probe: 'job', region: 'green', subject: 'counts', status: 'ok' },
  ]);
  expect(noneThere).toHaveLength(1);
});

test('a job that runs in both regions is a split brain', async () => {
  const both = [...here, ...there];
  expect(await codesAfter('far', [both, both, both, both])).toContain('SplitBrainRisk');
  expect(await codesAfter('far', [[...here, ...noneThere], here, here, here])).not.toContain('SplitBrainRisk');
});

test('a job that moves is none, however late the other side is looked at again', async () => {
  const steps = [here, here, there, there, there, there];
  expect(await codesAfter('far', steps)).not.toContain('SplitBrainRisk');
  expect(await codesAfter('far', [...steps, noneHere])).not.toContain('SplitBrainRisk');
});

test('a fenced side that takes writes is one, also where the daemon is none of the observers', async () => {
  const open = fenceSights({ region: 'green', holds: false });
  expect(await codesAfter('daemon', [open, open, open, open])).toContain('SplitBrainRisk');
  const ofPrimary = fenceSights({ region: 'blue', holds: false });
  expect(await codesAfter('daemon', [ofPrimary, ofPrimary, ofPrimary, ofPrimary])).not.toContain('SplitBrainRisk');
});
