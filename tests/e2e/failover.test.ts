import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { argus } from '../../lab/demo/argus-command.ts';
import { type DemoResult, disagreements } from '../../lab/demo/result.ts';
import { playScenario, type ScenarioRun } from '../../lab/demo/scenario.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { expectKinds } from '../support/restore-case.ts';
import { restoreCase } from '../support/restore-cases.ts';
import {
  destroyBucket,
  type FoundMetadata,
  mentionsOfPrimary,
  metadataIn,
  restoredPoint,
} from '../support/restore-evidence.ts';
import { secretsBelow, secretsIn } from '../support/secret-scan.ts';
import { watchEvents } from '../support/watch-events.ts';
import { type WatchedPage, watchPage } from '../support/watch-page.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab for the whole story: each test goes on where the one before it ended.
let lab: Lab;
let run: ScenarioRun;
let settings: Parameters<typeof argus>[0];
const output: string[] = [];
let page: WatchedPage | undefined;
let written: readonly FoundMetadata[] = [];

beforeAll(async () => {
  lab = await startTestLab();
  settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  run = playScenario(lab, {
    scenario: 'kill',
    rate: 400,
    warmupMs: 15_000,
    afterMs: 5_000,
    distanceMs: 30,
    async afterOutage() {
      written = destroyBucket(lab);
    },
    say: (line) => output.push(line),
    onArgusOutput: (text) => output.push(text),
  });
});

afterAll(async () => {
  await page?.close();
  await run?.stop();
  await lab?.down();
});

const daemonUrl = () => `http://127.0.0.1:${lab.info.daemonPort}`;
const json = async (args: readonly string[]) => {
  const done = await argus(settings, ['--json', ...args]);
  return { exitCode: done.exitCode, value: JSON.parse(done.stdout) };
};

test('under load a recovery point is there, and a checkpoint references at least 10 files', async () => {
  await run.warmUp();
  const { exitCode, value } = await json(['checkpoints', 'list']);
  expect(exitCode).toBe(0);
  const [newest] = value.jobs[0].points;
  expect(newest.files).toBeGreaterThanOrEqual(10);
});

test('a dry run prints the plan and changes nothing', async () => {
  const before = await json(['runs', 'list']);
  const { exitCode, value } = await json(['failover', '--dry-run', '--accept-unfenced']);
  expect(exitCode).toBe(0);
  expect(value.steps.map((s: { id: string }) => s.id).length).toBeGreaterThan(5);
  expect(await json(['runs', 'list'])).toEqual(before);
});

test('without a terminal and without --yes a failover is refused with exit code 4', async () => {
  const done = await argus(settings, ['failover']);
  expect(done.exitCode).toBe(4);
  expect(done.stderr).toMatch(/--yes/);
});

test('the primary is killed under load, its bucket deleted, and argus failover brings the platform up in the standby', async () => {
  const events = watchEvents(daemonUrl());
  page = await watchPage(daemonUrl());
  await page?.picture('before');
  const picture = setTimeout(() => void page?.picture('during'), 8_000);
  await run.failOver();
  clearTimeout(picture);
  // The run was another process: the daemon showed it while it went on.
  await expect.poll(() => [...events.runs.values()], { timeout: 10_000 }).toContain('done');
  await events.stop();
  for (const step of ['start-jobs done', 'flip-names done']) expect(events.steps).toContain(step);
  expect(events.steps.filter((s) => /waiting|started/.test(s)).length).toBeGreaterThan(0);
  if (page === undefined) return;
  await page.picture('after');
  expect(await page.sentences()).toContain('A failover is under way');
  expect((await page.steps()).filter((s) => s.startsWith('done ')).length).toBeGreaterThan(0);
});

test("Alertmanager's message is answered with what is seen now, and only with the token", async () => {
  const alert = {
    status: 'firing',
    labels: { alertname: 'KafkaMirrorLagHigh', severity: 'warning' },
    fingerprint: 'f',
  };
  const body = JSON.stringify({ version: '4', groupKey: '{}:{}', status: 'firing', alerts: [alert] });
  const post = (headers: Record<string, string>) =>
    fetch(`${daemonUrl()}/api/v1/alerts`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
  expect((await post({})).status).toBe(401);
  const answer = await post({ authorization: `Bearer ${lab.info.env.ARGUS_WEBHOOK_TOKEN}` });
  expect(answer.status).toBe(200);
  const { action, status } = (await answer.json()) as { action: string; status: { roles: { primary: string } } };
  expect([action, status.roles.primary]).toEqual(['check', names.standby]);
});

test("Argus' own share of the time is at most 5 s, and the steps' usual times are known from now on", async () => {
  const { value } = await json(['runs', 'list']);
  const { report } = (await json(['runs', 'show', value.runs[0].run])).value;
  expect(report.share.ownMs).toBeLessThanOrEqual(5_000);
  expect(report.share.totalMs).toBeGreaterThan(report.share.ownMs);
  const document = (await json(['runbook', 'show', 'failover'])).value;
  expect(document.steps.find((s: { id: string }) => s.id === 'start-jobs').usual).toMatchObject({ runs: 1 });
});

test('the old roles are history: a second failover is refused', async () => {
  const done = await argus(settings, ['failover', '--yes', '--accept-unfenced']);
  expect(done.exitCode).toBe(3);
});

test('with the primary gone the job makes 3 more checkpoints and survives the loss of its TaskManager', async () => {
  const flink = flinkRestJobs({ region: names.standby, url: lab.info.regions[names.standby].flink.rest });
  const completed = async () => {
    const [job] = (await flink.list()).filter((j) => j.state === 'RUNNING');
    return job ? (await flink.checkpoints(job.id)).latestCompleted?.id : undefined;
  };
  const until = async (id: number) => {
    for (const deadline = Date.now() + 90_000; ; await new Promise((r) => setTimeout(r, 500))) {
      const now = await completed().catch(() => undefined);
      if (now !== undefined && now >= id) return now;
      if (Date.now() > deadline) {
        const jobs = await flink.list();
        const failures = await Promise.all(jobs.map(async (j) => `${j.state}: ${await flink.failureOf(j.id)}`));
        throw new Error(`checkpoint ${id} was not completed, the newest is ${now}; ${failures.join('; ')}`);
      }
    }
  };
  const first = await until(1);
  const third = await until(first + 3);
  await lab.regions[names.standby].restart('taskmanager');
  await until(third + 2);
});

test('the job was restored from what Argus wrote, and nobody asked for the bucket of the primary', () => {
  expectKinds(written, restoreCase('RocksDB, incremental'));
  const restored = restoredPoint(lab);
  expect(restored).toMatchObject({ version: 6, roundTrips: true });
  expect(restored.kinds).not.toContain('stream 6');
  expect([...written, ...metadataIn(lab, names.standby)].filter((found) => !found.roundTrips)).toEqual([]);
  const { atHome, mentions } = mentionsOfPrimary(lab);
  expect(mentions).toEqual([]);
  expect(atHome).toBeGreaterThan(100);
});

let result: DemoResult;
test('the auditor counts what Argus counted: nothing doubled, nothing misordered, no wrong count', async () => {
  result = await run.account();
  expect(disagreements(result)).toEqual([]);
  expect(result.clientOutageMs).toBeGreaterThan(0);
  expect(result.rtoMs).toBeGreaterThan(0);
});

test('the report has the auditor’s figures, and a changed byte in it is found', async () => {
  const { value } = await json(['report', 'show', 'latest']);
  expect(value).toMatchObject({
    ...{ runbook: 'failover', status: 'done', rto: { ms: result.rtoMs }, replayedRecords: result.replayedRecords },
    rpo: { records: result.audit.orphans, certainty: 'counted' },
    journal: { chained: true },
  });
  expect(value.samples.length).toBeGreaterThan(0);
  const platform = new Map(
    (value.versions.platform as { region: string; text: string }[]).map((p) => [p.region, p.text]),
  );
  expect(platform.get(names.primary)).toBe('Kafka not seen · Flink not seen');
  // Who answers later than 2 s is not seen.
  const releases = /^Kafka (4\.3 \(metadata\.version \d+\)|not seen) · Flink (2\.2\.\d+|not seen)$/;
  expect(platform.get(names.standby)).toMatch(releases);
  const file = join(lab.dir, 'failover.html');
  await json(['report', 'show', value.run, '--out', file]);
  expect((await json(['report', 'verify', file])).value).toMatchObject({ kind: 'whole', state: { kind: 'same' } });
  const bytes = readFileSync(file);
  const figure = bytes.indexOf(`took over from ${names.primary}`);
  bytes[figure] = (bytes[figure] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  expect((await argus(settings, ['report', 'verify', file])).exitCode).toBe(3);
});

test('a daemon that starts after the failover mirrors nothing into the active region', async () => {
  const { value } = await json(['status']);
  expect(value.roles).toMatchObject({ primary: names.standby, standby: names.primary, replication: 'suspended' });
});

test('none of the secrets stands in a log, in the state, in what the commands said, or in what the daemon serves', async () => {
  const secrets = Object.fromEntries(Object.entries(lab.info.env).filter(([name]) => !name.endsWith('_KEY_ID')));
  expect(Object.keys(secrets)).toContain('ARGUS_WEBHOOK_TOKEN');
  const served = ['', 'metrics', 'healthz', 'api/v1/status', 'api/v1/verdicts', 'api/v1/runs', 'api/v1/openapi.json'];
  for (const path of served) {
    const answer = await fetch(`${daemonUrl()}/${path}`);
    expect(answer.status, path).toBe(200);
    expect(secretsIn(secrets, await answer.text()), path).toEqual([]);
  }
  expect(secretsIn(secrets, output.join('\n'))).toEqual([]);
  const state = join(lab.dir, names.standby, 'objects', 'buckets', names.stateBucket);
  for (const folder of [join(lab.dir, 'logs'), state]) expect(secretsBelow(secrets, folder), folder).toEqual([]);
  expect(secretsIn(secrets, readFileSync(join(lab.dir, 'argus-daemon.log')))).toEqual([]);
});
