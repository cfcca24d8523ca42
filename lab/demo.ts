// `npm run demo`: two real regions, one disaster, one failover, one audit.
import { copyFileSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ArgusError, describeError } from '../domain/errors.ts';
import { type DemoResult, disagreements, type Scenario, scenarios } from './demo/result.ts';
import { playScenario } from './demo/scenario.ts';
import { renderStandbys, renderSummary } from './demo/summary.ts';
import { type Lab, startLab } from './lab.ts';
import type { Warmth } from './lab-info.ts';
import { progressLines } from './setup/progress-lines.ts';

interface Options {
  readonly kubernetes?: true;
  readonly standby?: Warmth | 'both';
  readonly scenario: Scenario;
  readonly rate: number;
  readonly warmup: number;
  readonly after: number;
  readonly distance: number;
  readonly keep: boolean;
  readonly json: string;
}

const positive = (text: string): number => {
  const n = Number(text);
  if (!(n > 0 && n <= 100_000)) throw new InvalidArgumentError('a number above 0');
  return n;
};

const notNegative = (text: string): number => (text === '0' ? 0 : positive(text));

const program = new Command('npm run demo --')
  .description('Two real regions on this machine: the primary fails under load, Argus fails over, an auditor counts.')
  .addOption(new Option('--scenario <name>', 'how the primary fails').choices(scenarios).default('kill'))
  .option('--kubernetes', 'each region a real Kubernetes with pods and the Flink operator (Linux, root)')
  .addOption(
    new Option(
      '--standby <kind>',
      'with --kubernetes: cold, nothing of the job waits in the standby; warm, a session cluster; both, one after the other (default)',
    ).choices(['cold', 'warm', 'both']),
  )
  .option('--rate <n>', 'events a second', positive, 200)
  .option('--warmup <seconds>', 'traffic before the outage', positive, 20)
  .option('--after <seconds>', 'traffic in the standby afterwards', positive, 10)
  .option('--distance <ms>', 'one way between the regions (30: about Mumbai to Singapore)', notNegative, 30)
  .option('--keep', 'leave the lab running', false)
  .option('--json <file>', 'where the result goes', 'demo-result.json')
  .addHelpText(
    'after',
    `
Examples:
  npm run demo
  npm run demo -- --scenario partition --rate 2000
  npm run demo -- --kubernetes
  npm run demo -- --kubernetes --standby warm --scenario freeze
  npm run demo -- --keep --json /tmp/result.json`,
  )
  .parse();
const options = program.opts<Options>();
if (options.standby !== undefined && !options.kubernetes) {
  program.error("error: option '--standby' needs '--kubernetes'", { exitCode: 2 });
}

const startedAt = performance.now();
const say = (line: string): void => {
  console.error(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`);
};
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupt.signal.aborted) process.exit(130);
    say('interrupted: taking everything down (once more to leave at once)');
    interrupt.abort(new ArgusError('Interrupted', 'interrupted'));
  });
}

/** Plays the demo on a lab; whatever it started beside the lab is ended with it. */
async function play(lab: Lab): Promise<DemoResult> {
  const run = playScenario(lab, {
    scenario: options.scenario,
    rate: options.rate,
    warmupMs: options.warmup * 1_000,
    afterMs: options.after * 1_000,
    distanceMs: options.distance,
    signal: interrupt.signal,
    say,
    onArgusOutput: (text) => process.stderr.write(text.replace(/^(?=.)/gm, '          │ ')),
  });
  try {
    await run.warmUp();
    await run.failOver();
    return await run.account();
  } finally {
    await run.stop();
  }
}

/** After a failure the logs outlive the lab, so that somebody can find out why. */
function keepLog(lab: Lab): void {
  const from = join(lab.dir, 'argus-daemon.log');
  const to = join(tmpdir(), `argus-daemon-${process.pid}.log`);
  if (!existsSync(from)) return;
  copyFileSync(from, to);
  say(`the daemon's log is in ${to}`);
}

let lab: Lab | undefined;

/** One lab from its start to its end, with the demo on it. */
async function playOnLab(standby: Warmth | undefined): Promise<DemoResult> {
  const setupLine = progressLines((line) => say(`set-up: ${line}`));
  const kind = standby === 'warm' ? ', with a session cluster in the standby' : '';
  say(`the lab starts: two regions, the network between them, DNS${kind}`);
  lab = await startLab({
    dir: mkdtempSync(join(tmpdir(), 'argus-demo-')),
    flavour: options.kubernetes ? 'cluster' : 'local',
    ...(standby && { standby }),
    signal: interrupt.signal,
    progress: (event) => {
      if (event.kind === 'setup') setupLine(event.event);
      else if (event.state === 'ready') say(`${event.part} is ready`);
    },
  });
  say(`the lab is up, the job runs in ${lab.dir}`);
  const result = await play(lab);
  console.log(renderSummary(result));
  if (disagreements(result).length > 0) keepLog(lab);
  return result;
}

/** The demo once, or with each kind of standby, one lab after the other. */
async function playAll(): Promise<readonly DemoResult[]> {
  if (!options.kubernetes) return [await playOnLab(undefined)];
  if (options.standby === 'cold' || options.standby === 'warm') return [await playOnLab(options.standby)];
  const cold = await playOnLab('cold');
  await lab?.down();
  lab = undefined;
  return [cold, await playOnLab('warm')];
}

try {
  const results = await playAll();
  const [first, second] = results;
  writeFileSync(resolve(options.json), `${JSON.stringify(second ? { ...first, warm: second } : first, null, 2)}\n`);
  if (second) console.log(renderStandbys(results));
  console.log(`  The result is in ${options.json}.\n`);
  process.exitCode = results.every((result) => disagreements(result).length === 0) ? 0 : 1;
} catch (error) {
  if (lab && !interrupt.signal.aborted) keepLog(lab);
  console.error(`error: ${describeError(error)}`);
  if (error instanceof ArgusError && error.hint) console.error(`hint: ${error.hint}`);
  process.exitCode = interrupt.signal.aborted ? 130 : error instanceof ArgusError ? error.exitCode : 1;
} finally {
  if (lab && options.keep && !interrupt.signal.aborted) {
    await lab.detach();
    say(`the lab was left running: npm run lab -- status --dir ${lab.dir}, and … down --dir ${lab.dir}`);
  } else {
    await lab?.down();
  }
}
process.exit();
