import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Lab } from '../../lab/lab.ts';
import { startTestLab } from '../support/whole-lab.ts';

// The commands of the documents that no other test executes, against two real clusters and their stores in which nothing
// was ever mirrored, and no Flink: some come to their refusal only, with the exit code that the documents say.
// tests/unit/docs/commands.test.ts looks for them here.
const run = '20261122T090000Z-failover-0a1b';
const commands: readonly (readonly [exitCode: number, command: string, endAfterMs?: number])[] = [
  [0, 'init --answers {answers} --yes --offline --force --config {folder}/new.yaml'],
  [1, 'doctor --region singapore --read-only --fix-hints --egress-price 0.09 --timeout 20s'],
  [0, 'completion zsh'],
  [0, 'man --out {folder}/man1'],
  [0, 'alerts render --out {folder}/rules.yaml --job argus --for-at-most 5m'],
  [0, 'mirror throttle --topic events --bytes-per-second 5MB'],
  [0, 'mirror throttle --topic events --off'],
  [0, 'mirror throttle --topic events --as-configured'],
  [0, 'mirror pause --topic events'],
  [0, 'mirror resume --topic events'],
  [2, 'mirror render --dedicated'],
  [1, 'mirror reseed nothing --yes --accept-loss 5'],
  [1, 'mirror verify --topic events --partition 0 --from 0 --to 1 --sample 1'],
  [0, 'mirror promote --list --abort-open'],
  // It is ended as soon as it says that it mirrors.
  [0, 'mirror run --share'],
  [0, 'checkpoints list --source --job counts'],
  [2, 'checkpoints verify --job counts --checkpoint 1'],
  [3, 'checkpoints check --job counts'],
  [1, 'checkpoints run --once --job counts'],
  [2, 'checkpoints show 1 --job counts --source'],
  [
    2,
    'checkpoints relocate 1 --job counts --source --to s3://argus-flink-checkpoints-replica/by-hand --copy --dry-run',
  ],
  [2, 'checkpoints translate --job counts --checkpoint 1 --dry-run'],
  [1, 'recovery-points --job counts'],
  [1, 'readiness --history --days 7'],
  [1, 'probe --region mumbai'],
  [2, 'observe --name office'],
  [0, 'watch --every 1s', 1_500],
  [2, `watch --run ${run}`],
  [1, 'standby check --job counts'],
  [0, 'role await --region mumbai --timeout 2s'],
  [0, 'role await --region mumbai --once'],
  [2, 'notify test --channel ops'],
  [0, 'automatic ack --reason seen'],
  [2, 'failover --dry-run --accept-output-gap --outage-at 2026-11-22T03:00:00Z'],
  [2, 'failback --dry-run --to {folder}/orphans --accept-unfenced --switch --producers-stopped'],
  [3, 'failback --plan-out {folder}/plan.json'],
  [2, 'failback --plan {folder}/plan.json'],
  [2, 'switchover --plan-out {folder}/plan.json --producers-stopped'],
  [2, 'switchover --plan {folder}/plan.json'],
  [2, 'orphans export --topic events --promotion 2 --to {folder}/orphans.jsonl'],
  [2, 'orphans replay --topic events --promotion 2 --yes'],
  [2, `dns rollback ${run} --against-roles --reason try --dry-run`],
  [0, 'drill schedule --count 2'],
  [1, 'drill next'],
  [0, 'drill history --limit 5'],
  [0, 'drill faults'],
  [1, 'drill clean --dry-run'],
  [2, 'drill clean --healed broker-down --yes --reason mended'],
  [1, 'drill run --plan-only --job counts'],
  [3, 'drill run --switchover --outside-window --stay 1m --reason try'],
  [2, 'drill approve 2026-12-01 --reason agreed'],
  [0, 'report show --html --out {folder}/report.html'],
  [0, 'report verify {folder}/report.html'],
  [0, 'report show --markdown'],
  [0, 'report trend --markdown'],
  [2, 'report verify {folder}/report.html --public-key nobody'],
  [0, 'report trend --html --out {folder}/trend.html'],
];

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

let lab: Lab;

beforeAll(async () => {
  lab = await startTestLab({ parts: 'brokers' });
  const side = (name: string) => ({
    name,
    address: '127.0.1.1',
    kafka: ['127.0.0.1:9'],
    objects: 'http://127.0.0.1:9',
    bucket: name,
    flink: 'http://127.0.0.1:9',
  });
  const answers = { topics: ['events'], jobs: ['counts'], dnsZone: 'argus.test', records: ['ingest.argus.test'] };
  writeFileSync(
    join(lab.dir, 'answers.yaml'),
    stringify({ primary: side('mumbai'), standby: side('singapore'), ...answers }),
  );
});
afterAll(() => lab?.down());

test('every command of the documents that is not executed elsewhere does what they say', async () => {
  const filled = (command: string) =>
    command.replaceAll('{folder}', lab.dir).replaceAll('{answers}', join(lab.dir, 'answers.yaml'));
  const given = commands.map(([, command, endAfterMs]) => ({ words: filled(command).split(' '), endAfterMs }));
  const [list, results] = [join(lab.dir, 'commands.json'), join(lab.dir, 'results.json')];
  writeFileSync(list, JSON.stringify(given));
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../support/commands-child.ts', import.meta.url)), list, results],
    {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, ...lab.env, ARGUS_CONFIG: lab.configPath },
      // One that never ends, as a mirror that never leads.
      timeout: 150_000,
      killSignal: 'SIGKILL',
    },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const mirrored = /this process leads/.test(said);
    said += text;
    if (!mirrored && /this process leads/.test(said)) child.kill('SIGTERM');
  });
  try {
    expect(await once(child, 'close'), said).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
  }
  const ended = JSON.parse(readFileSync(results, 'utf8')) as readonly Ended[];
  const other = commands.flatMap(([exitCode, command], i) => {
    const got = ended[i];
    const said = `${got?.stdout.slice(-300)}${got?.stderr.slice(-300)}`;
    const unexpected = /fault of argus itself/.test(said);
    return got?.exitCode === exitCode && !unexpected ? [] : [`argus ${command}: ${got?.exitCode}: ${said}`];
  });
  expect(other).toEqual([]);
  const doctor = ended[commands.findIndex(([, command]) => command.startsWith('doctor'))];
  expect(doctor?.stdout).toMatch(/\(FlinkUnreachable\)[\s\S]*\(JobInNoDrill\)/);
});
