import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { drillState } from '../../state/drills.ts';
import { openJournal } from '../../state/journal.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

const run = '20261121T103000Z-failover-1a2b';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-runs-'));
  await mkdir(join(folder, 'state'));
  await writeFile(join(folder, 'argus.yaml'), sampleYaml.replace(/^state: .*$/m, 'state: file:./state'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const env = { MUMBAI_KEY: 'k', MUMBAI_SECRET: 's', SINGAPORE_KEY: 'k', SINGAPORE_SECRET: 's', CLOUDFLARE_TOKEN: 't' };
const call = async (...args: readonly string[]) => {
  const done = await argus({ configPath: join(folder, 'argus.yaml'), env }, ['--json', ...args]);
  const parse = (text: string) => (text.startsWith('{') ? JSON.parse(text) : undefined);
  return { exitCode: done.exitCode, out: parse(done.stdout), err: parse(done.stderr.slice(done.stderr.indexOf('{'))) };
};

async function writeRun(ended: boolean): Promise<void> {
  const journal = openJournal(fileObjectStore(join(folder, 'state')), { run, epoch: 1 }, wallClock);
  await journal.append({ kind: 'run-started', runbook: 'failover', by: 'me@here', details: { rolesEpoch: 1 } });
  await journal.append({ kind: 'step-started', step: 'freeze-mirror' });
  await journal.append({ kind: 'step-finished', step: 'freeze-mirror', status: 'done', ms: 5, evidence: null });
  if (ended) await journal.append({ kind: 'run-finished', outcome: 'failed' });
}

async function tamper(seq: number): Promise<void> {
  const path = join(folder, 'state/journal', run, `00000${seq}`);
  await writeFile(path, (await readFile(path, 'utf8')).replace('"epoch": 1', '"epoch": 2'));
}

test('a journal in which an entry was changed is shown up to it, told, and never acted on', async () => {
  await writeRun(true);
  expect(await call('runs', 'show', run)).toMatchObject({
    exitCode: 0,
    out: { status: 'failed', journal: { chained: true } },
  });
  await tamper(3);
  expect(await call('runs', 'show', run)).toMatchObject({
    exitCode: 3,
    out: { run, steps: [{ id: 'freeze-mirror', status: 'started' }], journal: { fault: { seq: 3 } } },
    err: { error: { code: 'JournalTampered', message: expect.stringContaining(`${run}/000003`) } },
  });
  expect((await call('runs', 'list')).out).toMatchObject({ runs: [{ run, tampered: true }] });
  expect(await call('runs', 'abort', run, '--yes')).toMatchObject({
    exitCode: 3,
    err: { error: { code: 'JournalTampered' } },
  });
  const failover = await call('failover', '--yes', '--accept-unfenced');
  expect(failover).toMatchObject({
    exitCode: 3,
    err: { error: { code: 'JournalTampered', hint: expect.any(String) } },
  });
  const { out } = await call('runs', 'list');
  expect(out.attempts).toMatchObject([
    { what: 'failover', code: 'JournalTampered', by: expect.stringContaining('@') },
    { what: 'runs abort', code: 'JournalTampered' },
  ]);
});

test('aborting a run that is over, or that nobody knows, is refused', async () => {
  await writeRun(true);
  expect(await call('runs', 'abort', run, '--yes')).toMatchObject({ exitCode: 3, err: { error: { code: 'RunOver' } } });
  expect(await call('runs', 'abort', 'nothing', '--yes')).toMatchObject({
    exitCode: 2,
    err: { error: { code: 'RunMissing' } },
  });
  expect(await readdir(join(folder, 'state/journal'))).toEqual([run]);
});

test('of many runs the newest are listed, and how many more there are is told', async () => {
  await writeRun(true);
  const drills = drillState(fileObjectStore(join(folder, 'state')));
  const drill = '20261122T090000Z-drill-0001';
  const journal = openJournal(drills, { run: drill, epoch: 1 }, wallClock);
  await journal.append({ kind: 'run-started', runbook: 'drill', by: 'me@here', details: { kind: 'tabletop' } });
  expect((await call('runs', 'list')).out).toEqual({
    runs: [expect.objectContaining({ run: drill }), expect.objectContaining({ run })],
    attempts: [],
  });
  expect((await call('runs', 'list', '--limit', '1')).out).toMatchObject({ runs: [{ run: drill }], older: 1 });
});
