import { expect, test } from 'vitest';
import { runDaemon } from '../../../daemon/daemon.ts';
import { decideService } from '../../../daemon/decide.ts';
import { watchDrills } from '../../../daemon/drill-runs.ts';
import { runObserver } from '../../../daemon/observe.ts';
import { readinessService } from '../../../daemon/readiness.ts';
import { samplesService } from '../../../daemon/samples.ts';
import type { MakeService } from '../../../daemon/service.ts';
import { watchRuns } from '../../../daemon/watch-runs.ts';
import { newBoard } from '../../../daemon/web/board.ts';
import { collector } from '../../../daemon/web/collect.ts';
import { followRuns } from '../../../daemon/web/follow-runs.ts';
import { automaticSection } from '../../../domain/automatic-config.ts';
import { configSchema } from '../../../domain/config.ts';
import { createMetrics } from '../../../health/metrics.ts';
import { probeTasks } from '../../../health/probe-tasks.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { watchActing } from '../../../state/acting-watch.ts';
import { openJournal } from '../../../state/journal.ts';
import { acquireLease } from '../../../state/lease.ts';
import { writeRoles } from '../../../state/roles.ts';
import { config as failoverConfig, newWorld, roles, runName } from '../runbooks/failover/world.ts';
import { quietLog } from './quiet-log.ts';

const asWritten = Object.fromEntries(
  ['objectives', 'drill', 'reports', 'checkpoints', 'automatic', 'probes', 'notify', 'alerts'].map((s) => [s, {}]),
);
/** Without a mirror of its own, which would be another process. */
const config = configSchema.parse({
  ...failoverConfig,
  ...asWritten,
  daemon: { port: 0 },
  mirror: { engine: 'mirrormaker2', mirrormaker: { connectUrl: { singapore: 'http://127.0.0.1:1' } } },
});
const observers = ['east', 'west', 'far'].map((name) => ({ name, place: name }));

/** What a daemon that leads, and three observers, ask of the state in a minute in which nothing happens. */
async function idleMinute(againMs: number): Promise<readonly string[]> {
  const { context, clock } = newWorld({ primary: 'up' });
  const { primary, standby, names } = context;
  const state = memoryObjectStore('state');
  await writeRoles(state, roles);
  // Earlier runs, as there are after a year.
  for (const n of [1, 2, 3]) {
    const request = { holder: 'me', purpose: 'failover', run: runName(n), ttlMs: 10_000, waitMs: 0 };
    const answer = await acquireLease(state, request, clock);
    if (answer.kind !== 'acquired') throw new Error('held');
    const journal = openJournal(state, { run: runName(n), epoch: answer.lease.epoch }, clock);
    await journal.append({ kind: 'run-started', runbook: 'failover', by: 'me', details: null });
    for (let i = 0; i < 8; i++) await journal.append({ kind: 'step-started', step: `s${i}` });
    await journal.append({ kind: 'run-finished', outcome: 'done' });
    await answer.lease.release();
  }
  const log = quietLog();
  const metrics = createMetrics();
  const acting = watchActing(state, clock);
  const board = newBoard(() => clock.monotonic());
  const regions = [primary, standby];
  const sources = { config, regions, names, state, clock };
  const looks = collector({ board, sources });
  const settings = automaticSection.parse({ mode: 'automatic', observers, acceptUnfenced: true, stateIsOutside: true });
  const actions = { failover: async () => ({ kind: 'ended', exitCode: 0 }) as const, propose: async () => [] };
  const services: MakeService[] = [
    watchRuns({ state, clock, log, metrics, acting }),
    decideService({
      ...{ settings, statePlace: 'outside', guarded: false, rpoMs: 60_000, state, clock, log, who: 'x', actions },
    }),
    readinessService({ ...sources, log, metrics, look: looks.fresh, againMs }),
    watchDrills({ state, clock, log, metrics, schedule: [] }),
    samplesService({ state, clock, log, everyMs: 5_000, keepMs: 86_400_000 }),
    looks.service,
    () => followRuns({ board, state, clock, acting }),
  ];
  const stop = new AbortController();
  const daemon = runDaemon(
    {
      config,
      regions: new Map(regions.map((r) => [r.name, r])),
      state,
      acting,
      clock,
      log,
      holder: 'test',
      metrics,
      services,
    },
    stop.signal,
  );
  const links = {} as Parameters<typeof probeTasks>[0]['links'];
  const watching = observers.map(({ name, place }) => {
    const tasks = probeTasks({ observer: name, config, regions: [], names, state, links, clock });
    const common = { name, place, tasks, atOnce: 8, state, clock, log, random: () => 0.5 };
    return runObserver(common, stop.signal);
  });
  await clock.sleep(45_000);
  const from = state.calls.length;
  await clock.sleep(60_000);
  const calls = state.calls.slice(from);
  stop.abort();
  await Promise.all([daemon, ...watching]);
  return calls;
}

/** For a minute, by kind: a store bills lists and puts about twelve times as much as gets. */
const budgets = [
  { when: 'while all is well', againMs: 60_000, most: { list: 64, get: 515, put: 145 } },
  { when: 'while readiness is not green', againMs: 10_000, most: { list: 90, get: 550, put: 150 } },
];

test.each(budgets)(
  'a daemon that leads and three observers ask no more of the state than $most $when',
  async ({ againMs, most }) => {
    const calls = await idleMinute(againMs);
    for (const [kind, budget] of Object.entries(most)) {
      const asked = calls.filter((c) => c.startsWith(`${kind} `)).length;
      expect(asked, `${kind}: ${byWhat(calls)}`).toBeLessThanOrEqual(budget);
    }
  },
);

/** For whoever has to find out what asks so much. */
function byWhat(calls: readonly string[]): string {
  const groups = Map.groupBy(calls, (call) => call.replace(/(journal|roles|slots)\/.*/, '$1/…'));
  const sorted = [...groups].toSorted(([, a], [, b]) => b.length - a.length);
  return sorted.map(([what, all]) => `${all.length} ${what}`).join('\n');
}
