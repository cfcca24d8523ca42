import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { auditRegions } from '../auditor/audit.ts';
import { waitUntilSettled } from '../auditor/settled.ts';
import { argus, startDaemon } from '../demo/argus-command.ts';
import { startTraffic, type TrafficProcess } from '../demo/traffic.ts';
import { type Lab, startLab } from '../lab.ts';
import { names, type RegionName } from '../lab-info.ts';
import { type AskJson, runsSince, servingRegion } from './ask-state.ts';
import { openPager, type Page, renderPage } from './pager.ts';
import type { Stage, TrainingScenario } from './scenarios.ts';
import {
  renderScore,
  type Score,
  scoreTraining,
  type TrainingAudit,
  type TrainingFacts,
  type TrainingRun,
} from './score.ts';
import type { Trainee, Word } from './trainee.ts';

/** How a lesson is given. */
export interface LessonOptions {
  readonly scenario: TrainingScenario;
  /** 2: the scenario's own pauses take half as long. */
  readonly speed: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** Whoever is trained: begins to listen when the page is out. `env`: what a terminal needs for Argus. */
  readonly trainee: (env: Readonly<Record<string, string>>, onWord: (word: Word | undefined) => void) => Trainee;
}

/** What a lesson came to. */
export interface LessonResult {
  readonly scenario: string;
  readonly facts: TrainingFacts;
  readonly score: Score;
}

const rate = 100;
const longestMs = 15 * 60_000;
const pageMs = 45_000;

/** One lesson on a lab of its own, which is gone when it ends. */
export async function giveLesson(options: LessonOptions): Promise<LessonResult> {
  const { scenario, signal, say, speed } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const pages: Page[] = [];
  let listening = false;
  try {
    const pager = await openPager((page) => {
      pages.push(page);
      if (listening) say(renderPage(page, new Date()));
    });
    closers.push(() => pager.close());
    say('starting two regions; this takes a minute or two');
    const lab = await startLab({ dir: mkdtempSync(join(tmpdir(), 'argus-train-')), observers: true, signal });
    closers.push(() => lab.down());
    tune(lab, pager.url);
    const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
    const daemon = startDaemon({ ...settings, env: lab.processEnv('argus/daemon') }, join(lab.dir, 'argus-daemon.log'));
    closers.push(() => daemon.stop());
    const traffic = trafficOf(lab);
    closers.push(() => traffic.stop());
    const json = async (args: readonly string[]): Promise<Record<string, unknown>> => {
      const run = await argus(settings, ['--json', ...args], { signal });
      return run.stdout.startsWith('{') ? (JSON.parse(run.stdout) as Record<string, unknown>) : {};
    };
    await untilReady(json, signal);
    const stage: Stage = {
      lab,
      signal,
      pause: (ms) => sleep(ms / speed, undefined, { signal }),
      async argus(args) {
        const run = await argus(settings, args, { signal });
        if (run.exitCode !== 0) throw new Error(`argus ${args.join(' ')} ended with ${run.exitCode}: ${run.stderr}`);
      },
    };
    await scenario.before?.(stage);
    const brokenAtMs = Date.now();
    const told = pages.length;
    await scenario.begin(stage);
    for (const deadline = Date.now() + pageMs; Date.now() < deadline && !isPaged(pages.slice(told)); )
      await sleep(250, undefined, { signal });
    const pagedAtMs = Date.now();
    say('');
    for (const page of pages.slice(told)) if (page.state === 'open') say(renderPage(page, new Date()));
    say(`${scenario.call}\n`);
    say('You are on call. In another terminal:');
    say(`  set -a; . ${lab.dir}/argus.env; set +a; export ARGUS_CONFIG=${lab.configPath}; npm run argus -- status`);
    say('Here: `wait` (you decide to wait), `hint`, `done` (you have done what you wanted), `quit`.\n');
    listening = true;
    const course = await follow({
      options,
      stage,
      json,
      brokenAtMs,
      env: { ...lab.env, ARGUS_CONFIG: lab.configPath },
    });
    listening = false;
    say('the lesson is over; the auditor counts');
    const audit = await servingRegion(json, signal)
      .then((serving) => audited(lab, traffic, () => scenario.mend(stage, serving !== names.primary), serving))
      .catch((error: unknown) => void say(`it could not be counted: ${describeError(error)}`));
    const facts: TrainingFacts = {
      ...{ right: scenario.right, unfencedNeeded: scenario.unfencedNeeded, brokenAtMs, pagedAtMs },
      ...course,
      ...(audit && { audit }),
    };
    const score = scoreTraining(facts);
    say(`\n${renderScore(scenario.title, score, scenario.good)}`);
    return { scenario: scenario.name, facts, score };
  } finally {
    // The last that was begun ends first.
    for (const close of closers.reverse()) await close().catch((error: unknown) => say(describeError(error)));
  }
}

const isPaged = (pages: readonly Page[]) => pages.some((p) => p.state === 'open');

/** The pager instead of Slack, and a link that counts as slow as soon as a person would call it so. */
function tune(lab: Lab, url: string): void {
  const config = parse(readFileSync(lab.configPath, 'utf8')) as { readonly automatic?: object };
  const notify = { channels: [{ name: 'pager', webhook: { url }, tell: ['verdicts', 'decisions', 'runs'] }] };
  const changed = { ...config, notify, automatic: { ...config.automatic, slow: '400ms' } };
  writeFileSync(lab.configPath, stringify(changed, { aliasDuplicateObjects: false }));
}

function trafficOf(lab: Lab): TrafficProcess {
  return startTraffic({
    resolver: lab.info.dns.server,
    name: lab.info.ingestName,
    port: lab.info.ingestPort,
    rate,
    keys: 100,
    ledgerPath: join(lab.dir, 'ledger.jsonl'),
    env: lab.processEnv('outside/traffic'),
  });
}

async function untilReady(json: AskJson, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + 180_000; Date.now() < deadline; await sleep(1_000, undefined, { signal })) {
    const { now } = (await json(['readiness'])) as { readonly now?: { readonly status?: string } | null };
    const { standing } = (await json(['automatic', 'status'])) as {
      readonly standing?: { readonly verdicts: readonly { readonly severity: string }[] } | null;
    };
    const well = standing?.verdicts.length !== 0 && standing?.verdicts.every((v) => /^(ok|info)$/.test(v.severity));
    if (now?.status === 'green' && well === true) return;
  }
  throw new ArgusError('NotReady', 'the lab did not get ready for a lesson', { hint: 'is the machine very busy?' });
}

type Course = Pick<TrainingFacts, 'endedAtMs' | 'hints' | 'runs'> & Partial<Pick<TrainingFacts, 'waitedAtMs'>>;

/** From the page to the end: what was said, and which runs were made. */
async function follow(parts: {
  readonly options: LessonOptions;
  readonly stage: Stage;
  readonly json: AskJson;
  readonly brokenAtMs: number;
  readonly env: Readonly<Record<string, string>>;
}): Promise<Course> {
  const { scenario, say, signal } = parts.options;
  let hints = 0;
  let waitedAtMs: number | undefined;
  let over = false;
  const trainee = parts.options.trainee(parts.env, (word) => {
    if (word === 'hint') say(scenario.hints[hints++] ?? 'there are no more hints');
    else if (word === 'wait') {
      waitedAtMs ??= Date.now();
      say('you wait');
    } else if (word === 'done' || word === 'quit') over = true;
    else say('there are: wait, hint, done, quit');
  });
  const own = new AbortController();
  const goesOn = scenario.goOn?.({ ...parts.stage, signal: AbortSignal.any([signal, own.signal]) }).then(
    () => true,
    () => true,
  );
  let mended = false;
  void goesOn?.then(() => {
    mended = true;
  });
  let runs: readonly TrainingRun[] = [];
  try {
    for (const deadline = Date.now() + longestMs; !over && Date.now() < deadline; ) {
      runs = (await runsSince(parts.json, parts.brokenAtMs)) ?? runs;
      const moving = runs.some((r) => r.status === 'running');
      const moved = runs.some((r) => r.status === 'done' && isMove(r, scenario));
      if (!moving && (moved || mended)) break;
      await sleep(1_000, undefined, { signal });
    }
  } finally {
    own.abort();
    await trainee.close();
  }
  // A run that is still under way when he says that he is done.
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(1_000, undefined, { signal })) {
    const told = await runsSince(parts.json, parts.brokenAtMs);
    runs = told ?? runs;
    if (told?.every((r) => r.status !== 'running') === true) break;
  }
  return { endedAtMs: Date.now(), hints, runs, ...(waitedAtMs === undefined ? {} : { waitedAtMs }) };
}

const isMove = ({ runbook }: TrainingRun, { right }: TrainingScenario) =>
  right === 'failback' ? runbook === 'failback' : ['failover', 'switchover'].includes(runbook);

/** What the auditor counts, with the region that serves as the active one. */
async function audited(
  lab: Lab,
  traffic: TrafficProcess,
  mend: () => Promise<void>,
  serving: RegionName,
): Promise<TrainingAudit> {
  const other = serving === names.primary ? names.standby : names.primary;
  // Nothing more may reach the region that lost its role.
  if (other === names.primary) await lab.link('outside', other).cut();
  await mend();
  await traffic.stop();
  const bootstrap = (region: RegionName) => lab.info.regions[region].kafka.auditor;
  const topics = [names.events.topic, names.metrics.topic];
  await waitUntilSettled({ bootstrap: bootstrap(serving), topics, stillMs: 6_000 });
  const counted = await auditRegions({
    oldPrimaryBootstrap: bootstrap(other),
    standbyBootstrap: bootstrap(serving),
    eventsTopic: names.events.topic,
    metricsTopic: names.metrics.topic,
    ledgerPath: join(lab.dir, 'ledger.jsonl'),
    client: lab.info.artifacts,
  });
  const { acknowledged, lost, duplicated: doubled, misordered } = counted;
  return { acknowledged, lost, doubled, misordered };
}
