import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { observerComponent, startObserver } from '../../lab/components/observer.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { automaticStatus, startAutomaticLab, untilWatched } from '../support/automatic-lab.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';

// One lab in automatic mode, in which much goes wrong and the primary is never gone.
let lab: Lab;
let story: LabStory;

beforeAll(async () => {
  lab = await startAutomaticLab({ slow: '400ms' });
  story = await beginStory(lab, 100);
  await untilWatched(lab);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

/** The codes of all verdicts that stood while this was done; no run may have been made by then. */
async function verdictsWhile(act: () => Promise<void>, restS = 3): Promise<ReadonlySet<string>> {
  const codes = new Set<string>();
  const done = new AbortController();
  const watching = (async () => {
    while (!done.signal.aborted) {
      const { fresh, standing } = await automaticStatus(lab);
      if (fresh) for (const v of standing?.verdicts ?? []) codes.add(v.code);
      await sleep(700);
    }
  })();
  await act();
  await sleep(restS * 1_000);
  done.abort();
  await watching;
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  const { runs } = JSON.parse((await argus(settings, ['--json', 'runs', 'list'])).stdout) as {
    readonly runs: object[];
  };
  expect(runs).toEqual([]);
  const { decisions } = await automaticStatus(lab);
  expect(decisions.filter((d) => d.kind === 'act' || d.kind === 'advise')).toEqual([]);
  return codes;
}

const primary = () => lab.regions[names.primary];
const standby = () => lab.regions[names.standby];
const delay = async (ms: number) => {
  for (const from of ['outside', names.standby] as const) await lab.link(from, names.primary).delay(ms);
};

async function withoutOutsideObserver(ms: number): Promise<void> {
  const observer = lab.info.observers?.list.find((o) => o.place === 'outside');
  if (!observer) throw new Error('the lab has no observers');
  const pid = outsidePid ?? lab.info.pids[observerComponent(observer)] ?? 0;
  process.kill(pid, 'SIGKILL');
  await sleep(ms);
  outsidePid = (await startObserver(lab.info, observer, { timeoutMs: 60_000 })).pid;
}
let outsidePid: number | undefined;

test('the primary vanishes from the network for 20 s', async () => {
  const codes = await verdictsWhile(async () => {
    await primary().cut();
    await sleep(20_000);
    await primary().restore();
  }, 8);
  expect([...codes]).toContain('PrimaryUnreachable');
  expect([...codes]).not.toContain('PrimaryDead');
  await untilWatched(lab);
});

test('the broker of the primary is slow', async () => {
  const codes = await verdictsWhile(async () => {
    await delay(350);
    await sleep(20_000);
    await delay(0);
  });
  expect([...codes]).toContain('PrimaryDegraded');
  expect([...codes]).not.toContain('PrimaryDead');
  await untilWatched(lab);
});

test('the broker of the primary hangs, the rest answers', async () => {
  const codes = await verdictsWhile(async () => {
    await primary().freeze('kafka');
    await sleep(20_000);
    await primary().thaw('kafka');
  });
  expect([...codes]).toContain('PrimaryDegraded');
  expect([...codes]).not.toContain('PrimaryUnreachable');
  await untilWatched(lab);
});

test('an observer dies', async () => {
  const codes = await verdictsWhile(() => withoutOutsideObserver(15_000));
  expect([...codes]).toContain('ObserverCutOff');
  await untilWatched(lab);
});

/** What a random schedule is made of; none of it takes the whole primary from everybody for as long as is waited. */
const mishaps: readonly (readonly [string, (ms: number) => Promise<void>])[] = [
  [
    'the primary is cut off',
    async (ms) => {
      await primary().cut();
      await sleep(Math.min(ms, 15_000));
      await primary().restore();
    },
  ],
  [
    'the regions lose each other',
    async (ms) => {
      await lab.link(names.standby, names.primary).cut();
      await sleep(ms);
      await lab.link(names.standby, names.primary).restore();
    },
  ],
  [
    'the primary is slow',
    async (ms) => {
      await delay(900);
      await sleep(ms);
      await delay(0);
    },
  ],
  [
    'Flink of the primary is gone for a while',
    async (ms) => {
      await primary().freeze('flink');
      await sleep(ms);
      await primary().thaw('flink');
    },
  ],
  ['an observer is dead', withoutOutsideObserver],
  [
    'the standby is frozen',
    async (ms) => {
      await standby().freeze();
      await sleep(ms);
      await standby().thaw();
    },
  ],
];

/** Mulberry32: the same schedules each time. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test.each(Array.from({ length: 15 }, (_, i) => i + 1))('random schedule %i moves nothing', async (seed) => {
  // Only where all else would allow a failover does it say something that there is none.
  await untilWatched(lab);
  const next = random(seed);
  const first = Math.floor(next() * mishaps.length);
  const second = (first + 1 + Math.floor(next() * (mishaps.length - 1))) % mishaps.length;
  await verdictsWhile(async () => {
    await Promise.all(
      [first, second].map(async (i) => {
        await sleep(next() * 4_000);
        await mishaps[i]?.[1](2_000 + next() * 12_000);
      }),
    );
  }, 4);
});

test('the standby dies, and nothing is moved to it', async () => {
  const codes = await verdictsWhile(async () => {
    await standby().kill();
    await sleep(20_000);
  });
  expect([...codes]).toContain('StandbyDead');
  expect([...codes]).not.toContain('PrimaryDead');
});
