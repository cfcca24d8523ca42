// `npm run lab -- …`: the lab from a terminal. What it does is in lab.ts, region.ts and links.ts.
import { Command, CommanderError, Option } from 'commander';
import { ArgusError, describeError } from '../domain/errors.ts';
import { faultCommand } from './faults/fault-command.ts';
import { attachLab, endLab, type Lab, startLab } from './lab.ts';
import { defaultLabDir, isAlive, readClaim } from './lab-folder.ts';
import type { Place, RegionName, Warmth } from './lab-info.ts';
import { progressPrinter, renderLinks, renderRegion, renderStatus, type StatusView, statusOf } from './lab-status.ts';
import { linkStates } from './links.ts';
import { type FlinkVersion, flinkVersions } from './setup/flink-releases.ts';
import { trainCommand } from './training/train-command.ts';

interface Common {
  readonly dir: string;
  readonly json?: true;
}

interface UpOptions extends Common {
  readonly flink?: FlinkVersion;
  readonly kubernetes?: true;
  readonly standby: Warmth;
  readonly observers?: true;
  readonly drills?: true;
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second one doesn't wait for an orderly end: the lab's watcher cleans up behind us.
    if (stop.signal.aborted) process.exit(130);
    process.stderr.write('stopping …\n');
    stop.abort(new ArgusError('Stopped', 'stopped before the end'));
  });
}

const print = (options: Common, value: unknown, text: string): void => {
  process.stdout.write(options.json ? `${JSON.stringify(value, null, 2)}\n` : text === '' ? '' : `${text}\n`);
};

const program = new Command('lab')
  .description(
    'Two real regions on this machine: mumbai (primary) and singapore (standby), and the network between them.',
  )
  .addHelpText(
    'after',
    `\nExamples:
  npm run lab -- up
  npm run lab -- region mumbai kill
  npm run lab -- link outside mumbai cut
  npm run lab -- down`,
  )
  .showHelpAfterError('(--help shows what there is)')
  .exitOverride();

/** A command with the options that all have. */
function command(spec: string, description: string, example: string): Command {
  return program
    .command(spec)
    .summary(description.split('\n')[0] ?? '')
    .description(description)
    .addOption(new Option('--dir <folder>', "the lab's folder").default(defaultLabDir()))
    .option('--json', 'the result as JSON on standard output')
    .exitOverride()
    .addHelpText('after', `\nExample:\n  ${example}`);
}

command(
  'up',
  `Start everything and the job on the primary; ends when the job runs.
With --kubernetes each region is a Kubernetes with pods and the Flink operator (Linux, root), with a Flink of its own.`,
  'npm run lab -- up\n  npm run lab -- up --flink 1.20\n  npm run lab -- up --observers\n  npm run lab -- up --drills\n  npm run lab -- up --kubernetes\n  npm run lab -- up --kubernetes --standby warm',
)
  .addOption(new Option('--flink <version>', "both regions' Flink (default: 2.2)").choices(flinkVersions))
  .addOption(new Option('--kubernetes', 'regions with pods').conflicts('flink'))
  .addOption(new Option('--observers', 'three observers, and the state outside both regions').conflicts('kubernetes'))
  .addOption(new Option('--drills', 'a place for drills in singapore'))
  .addOption(
    new Option('--standby <kind>', 'warm: with --kubernetes, a session cluster waits for the job in singapore')
      .choices(['cold', 'warm'])
      .default('cold'),
  )
  .action(async (options: UpOptions) => {
    const lab = await startLab({
      dir: options.dir,
      flavour: options.kubernetes ? 'cluster' : 'local',
      standby: options.standby,
      ...(options.observers && { observers: true }),
      ...(options.drills && { drills: true }),
      ...(options.flink && { flink: { version: options.flink } }),
      signal: stop.signal,
      progress: progressPrinter(say),
    });
    await lab.detach();
    const hint = [
      `lab up in ${lab.dir}; try:`,
      `  set -a; . ${lab.dir}/argus.env; set +a; export ARGUS_CONFIG=${lab.configPath}`,
      '  npm run argus -- status',
      ...(lab.info.cluster
        ? Object.values(lab.info.cluster.regions).map(
            ({ node, kubeconfig }) => `  ${node.binary} kubectl --kubeconfig ${kubeconfig} get pods -A`,
          )
        : []),
    ];
    print(options, lab.info, hint.join('\n'));
  });

command('down', 'Kill everything of the lab and remove its folder.', 'npm run lab -- down').action(
  async (options: Common) => {
    const ended = await endLab(options.dir);
    print(options, { ended }, ended ? 'lab down, nothing left' : `no lab in ${options.dir}`);
  },
);

command(
  'status',
  'Every component, link and job. Exit code 3 when no lab is up.',
  'npm run lab -- status --json',
).action(async (options: Common) => {
  const claim = readClaim(options.dir);
  if (claim && !isAlive(claim)) {
    throw new ArgusError('LabMissing', `the lab in ${options.dir} has ended; its folder is still there`, {
      exitCode: 3,
      hint: '`npm run lab -- down` removes it',
    });
  }
  const view: StatusView = await statusOf(attachLab(options.dir));
  print(options, view, renderStatus(view));
});

type RegionAction = 'kill' | 'freeze' | 'thaw' | 'start' | 'restart' | 'cut' | 'restore';
const regionActions: readonly RegionAction[] = ['kill', 'freeze', 'thaw', 'start', 'restart', 'cut', 'restore'];

command(
  'region <name> <action> [component]',
  `Control a region, or one component of it (kafka, objects, jobmanager, taskmanager, flink, ingest;
with pods kafka, objects, ingest, operator, control, kubelet, containerd, proxy).
Actions: kill (SIGKILL; data stays), freeze (SIGSTOP), thaw, start (what does not run), restart;
cut (the whole region from everything else), restore.`,
  'npm run lab -- region mumbai kill\n  npm run lab -- region mumbai start kafka\n  npm run lab -- region mumbai cut',
).action(async (name: string, action: string, component: string | undefined, options: Common) => {
  const lab = attachLab(options.dir);
  const region = lab.regions[name as RegionName];
  if (!region) throw usage(`the lab has no region "${name}"`, Object.keys(lab.regions));
  const chosen = regionActions.find((a) => a === action);
  if (!chosen) throw usage(`there is no action "${action}" on a region`, regionActions);
  const choice = component as Parameters<typeof region.kill>[0];
  if (chosen === 'cut' || chosen === 'restore') {
    if (choice !== undefined) throw usage(`${chosen} is of a whole region`, [`region ${name} ${chosen}`]);
    await region[chosen]();
  } else if (chosen === 'start' || chosen === 'restart') await region[chosen](choice, stop.signal);
  else await region[chosen](choice);
  const status = await region.status();
  print(options, { region: name, components: status }, renderRegion(region.name, status));
});

const linkActions = ['cut', 'restore', 'delay', 'bandwidth'] as const;

command(
  'link <from> <to> <action> [value]',
  `Control the connections that one place opens to another. Places: outside, mumbai, singapore.
Actions: cut (bytes vanish, connections hang), restore (old connections end, new ones pass),
delay <ms> (in each direction; 0 ends it), bandwidth <KB/s> (in each direction; 0 ends it).`,
  'npm run lab -- link outside mumbai cut\n  npm run lab -- link singapore mumbai delay 60',
).action(async (from: string, to: string, action: string, value: string | undefined, options: Common) => {
  const lab: Lab = attachLab(options.dir);
  const link = lab.link(from as Place, to as RegionName);
  const chosen = linkActions.find((a) => a === action);
  if (!chosen) throw usage(`there is no action "${action}" on a link`, linkActions);
  if (chosen === 'cut' || chosen === 'restore') await link[chosen]();
  else {
    if (value === undefined || !/^\d{1,9}$/.test(value))
      throw usage(`${chosen} needs a whole number`, [`${chosen} 50`]);
    await link[chosen](Number(value));
  }
  const states = await linkStates(lab.info);
  print(options, states, renderLinks(states));
});

const line = { command, print, signal: stop.signal };
faultCommand(line);
trainCommand(line);

function usage(message: string, choices: readonly string[]): ArgusError {
  return new ArgusError('Usage', message, { exitCode: 2, hint: `there are: ${choices.join(', ')}` });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has written its message; help and version end well, everything else is a wrong call.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    say(`error: ${describeError(error)}`);
    if (error instanceof ArgusError && error.hint) say(`hint: ${error.hint}`);
    process.exitCode = stop.signal.aborted ? 130 : error instanceof ArgusError ? error.exitCode : 1;
  }
}
