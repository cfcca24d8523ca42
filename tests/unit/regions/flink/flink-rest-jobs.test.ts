import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { flinkRestJobs, rootCause } from '../../../../regions/flink/flink-rest-jobs.ts';

const fixtures = join(import.meta.dirname, '../../../../fixtures/flink-rest');
const fixture = (name: string) => readFileSync(join(fixtures, name), 'utf8');

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

let server: Server;
let asked: Asked[];
let answers: Record<string, { readonly status?: number; readonly body?: string } | 'silence' | 'half'>;
let url: string;

beforeEach(async () => {
  asked = [];
  answers = {};
  server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    try {
      for await (const chunk of request) body += (chunk as Buffer).toString('latin1');
    } catch {
      // The client's deadline passed before this process got to read: there is nobody to answer.
      return;
    }
    const path = request.url ?? '';
    asked.push({ method: request.method ?? '', path, body });
    const answer = answers[`${request.method} ${path}`];
    if (answer === 'silence') return;
    if (answer === 'half') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"jobs":');
      return;
    }
    response.writeHead(answer === undefined ? 404 : (answer.status ?? 200), { 'content-type': 'application/json' });
    response.end(answer?.body ?? '{"errors":["Not found"]}');
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const flink = () => flinkRestJobs({ region: 'mumbai', url, timeoutMs: 300, startTimeoutMs: 600 });

test('the release is what the cluster tells of itself, also without a job; one that tells none has none', async () => {
  answers['GET /config'] = { body: JSON.stringify({ 'flink-version': '2.2.1' }) };
  expect(await flink().versions?.()).toEqual([{ version: '2.2.1' }]);
  answers['GET /config'] = { body: '{}' };
  expect(await flink().versions?.()).toEqual([]);
  answers['GET /config'] = 'silence';
  await expect(flink().versions?.()).rejects.toMatchObject({ code: 'FlinkUnreachable' });
});

test('jobs are listed newest start first', async () => {
  const job = (jid: string, start: number) => ({ jid, name: 'counts', state: 'RUNNING', 'start-time': start });
  answers['GET /jobs/overview'] = { body: JSON.stringify({ jobs: [job('a', 1), job('b', 3), job('c', 2)] }) };
  expect((await flink().list()).map((j) => [j.id, j.startedAtMs])).toEqual([
    ['b', 3],
    ['c', 2],
    ['a', 1],
  ]);
});

test('checkpoints of a restored job name the restored and the newest completed', async () => {
  answers['GET /jobs/j/checkpoints'] = { body: fixture('checkpoints-after-restore.json') };
  expect(await flink().checkpoints('j')).toEqual({
    completedCount: 1,
    failedCount: 0,
    restored: { id: 21, path: 's3://flink-replica/argus/t1', atMs: 1795243178889 },
    latestCompleted: {
      id: 22,
      path: 's3://flink-replica/checkpoints/8a590f3d0fd518df39a4d099d9fa2d6b/chk-22',
      completedAtMs: 1795243180139,
    },
  });
});

test('a job without checkpoints has none', async () => {
  const body = { counts: { completed: 0, failed: 2 }, latest: { completed: null, restored: null } };
  answers['GET /jobs/j/checkpoints'] = { body: JSON.stringify(body) };
  expect(await flink().checkpoints('j')).toEqual({ completedCount: 0, failedCount: 2 });
});

test('the history gives what is complete and still there, newest first', async () => {
  const told = JSON.parse(fixture('checkpoints.json'));
  const savepoint = { ...told.history[0], id: 9, is_savepoint: true, external_path: 's3://b/s/savepoint-1' };
  told.history.push(savepoint, { ...savepoint, id: 10, status: 'IN_PROGRESS', external_path: undefined });
  told.history.push(
    { ...savepoint, id: 11, discarded: true },
    { ...savepoint, id: 12, external_path: '<not addressable>' },
  );
  answers['GET /jobs/j/checkpoints'] = { body: JSON.stringify(told) };
  const snapshots = await flink().snapshots('j');
  expect(snapshots.map((s) => [s.id, s.kind])).toEqual([
    [9, 'savepoint'],
    [5, 'checkpoint'],
    [4, 'checkpoint'],
    [3, 'checkpoint'],
  ]);
  expect(snapshots[0]).toMatchObject({ path: 's3://b/s/savepoint-1', completedAtMs: expect.any(Number) });
  await expect(flink().snapshots('other')).rejects.toMatchObject({ code: 'JobMissing' });
});

test('free and total slots come from the overview', async () => {
  answers['GET /overview'] = { body: '{"slots-total":4,"slots-available":2,"jobs-running":1}' };
  expect(await flink().slots()).toEqual({ free: 2, total: 4 });
});

test.each([
  [
    '0f8fad5b-d9cb-469f-a165-70867728950e_d4111d41112026112203300012ab0000-counts.jar',
    'd4111d41112026112203300012ab0000',
  ],
  ['0f8fad5b-d9cb-469f-a165-70867728950e_counts.jar', undefined],
  ['d4111d41112026112203300012ab0000-counts.jar', undefined],
  ['0f8fad5b-d9cb-469f-a165-70867728950e_d4111d41112026112203300012ab0000-../counts.jar', undefined],
])('whose upload %s is: %s', async (id, jobId) => {
  answers['GET /jars'] = { body: JSON.stringify({ address: url, files: [{ id, name: 'x', uploaded: 1, entry: [] }] }) };
  expect(await flink().uploads?.()).toEqual(jobId === undefined ? [] : [{ id, jobId }]);
});

test('a cluster that takes no programs has none, and one that is gone is no error', async () => {
  expect(await flink().uploads?.()).toEqual([]);
  answers['DELETE /jars/x.jar'] = { status: 400, body: '{"errors":["File x.jar does not exist."]}' };
  await flink().removeUpload?.('x.jar');
  answers['DELETE /jars/x.jar'] = { status: 500, body: '{"errors":["disk"]}' };
  await expect(flink().removeUpload?.('x.jar')).rejects.toMatchObject({ code: 'FlinkRefused' });
});

test('a start uploads the jar, runs it without claiming the savepoint, and removes the upload', async () => {
  answers['POST /jars/upload'] = { body: '{"filename":"/tmp/flink-web/123_job.jar","status":"success"}' };
  answers['POST /jars/123_job.jar/run'] = { body: '{"jobid":"0123"}' };
  const started = await flink().start({
    jarPath: join(fixtures, 'job.json'),
    entryClass: 'a.Job',
    args: ['--x', 'a b'],
    parallelism: 2,
    savepointPath: 's3://b/p',
    jobId: '00000000000000000000000000000001',
  });
  expect(started).toEqual({ jobId: '0123' });
  expect(asked.map((a) => `${a.method} ${a.path}`)).toEqual([
    'POST /jars/upload',
    'POST /jars/123_job.jar/run',
    'DELETE /jars/123_job.jar',
  ]);
  expect(asked[0]?.body).toContain('name="jarfile"; filename="00000000000000000000000000000001-job.json"');
  expect(JSON.parse(asked[1]?.body ?? '')).toEqual({
    entryClass: 'a.Job',
    programArgsList: ['--x', 'a b'],
    parallelism: 2,
    jobId: '00000000000000000000000000000001',
    savepointPath: 's3://b/p',
    claimMode: 'NO_CLAIM',
    allowNonRestoredState: false,
  });
});

test('a refused start says why in Flink’s words, not in its stack trace', async () => {
  const trace =
    'org.apache.flink.runtime.rest.handler.RestHandlerException: Could not execute application.\n\tat a.b(C.java:1)\nCaused by: java.util.concurrent.CompletionException: x\n\tat d.e(F.java:2)\nCaused by: org.apache.flink.runtime.client.DuplicateJobSubmissionException: Job has already been submitted.\n\t... 7 more\n';
  answers['POST /jars/upload'] = { body: '{"filename":"/tmp/flink-web/123_job.jar"}' };
  answers['POST /jars/123_job.jar/run'] = {
    status: 400,
    body: JSON.stringify({ errors: ['Internal server error.', trace] }),
  };
  const start = { jarPath: join(fixtures, 'job.json'), entryClass: 'a.Job', args: [], parallelism: 1 };
  await expect(flink().start(start)).rejects.toMatchObject({
    code: 'FlinkRefused',
    message: expect.stringMatching(/DuplicateJobSubmissionException: Job has already been submitted\.$/),
  });
});

test('a jar that can not be read is the configuration’s fault', async () => {
  const start = { jarPath: '/no/such.jar', entryClass: 'a.Job', args: [], parallelism: 1 };
  await expect(flink().start(start)).rejects.toMatchObject({ code: 'JobJarUnreadable', exitCode: 2 });
});

test('a job that the cluster does not know is missing', async () => {
  await expect(flink().checkpoints('nobody')).rejects.toMatchObject({ code: 'JobMissing' });
  await expect(flink().cancel('nobody')).rejects.toMatchObject({ code: 'JobMissing' });
  await expect(flink().failureOf('nobody')).rejects.toMatchObject({ code: 'JobMissing' });
});

test('cancelling a job that has ended is no error', async () => {
  answers['PATCH /jobs/j?mode=cancel'] = { status: 409, body: '{"errors":["Job has already finished"]}' };
  await flink().cancel('j');
});

test('a failure is the innermost cause, and none is undefined', async () => {
  answers['GET /jobs/ok/exceptions?maxExceptions=1'] = { body: fixture('exceptions.json') };
  expect(await flink().failureOf('ok')).toBeUndefined();
  const stacktrace =
    'java.lang.Exception: Exception while creating StreamOperatorStateContext.\n\tat x.y(Z.java:1)\nCaused by: java.io.FileNotFoundException: No such file s3://b/x\n\tat q.r(S.java:9)';
  const body = JSON.stringify({ exceptionHistory: { entries: [{ stacktrace }] } });
  answers['GET /jobs/bad/exceptions?maxExceptions=1'] = { body };
  expect(await flink().failureOf('bad')).toBe('java.io.FileNotFoundException: No such file s3://b/x');
});

describe.each(['silence', 'half'] as const)('a cluster that answers with %s', (answer) => {
  const calls: Record<string, (jobs: ReturnType<typeof flink>, signal?: AbortSignal) => Promise<unknown>> = {
    'GET /jobs/overview': (jobs, signal) => jobs.list(signal && { signal }),
    'GET /jobs/j/checkpoints': (jobs, signal) => jobs.checkpoints('j', signal && { signal }),
    'GET /overview': (jobs, signal) => jobs.slots(signal && { signal }),
    'POST /jars/upload': (jobs, signal) =>
      jobs.start(
        { jarPath: join(fixtures, 'job.json'), entryClass: 'a.Job', args: [], parallelism: 1 },
        signal && { signal },
      ),
    'PATCH /jobs/j?mode=cancel': (jobs, signal) => jobs.cancel('j', signal && { signal }),
    'GET /jobs/j/exceptions?maxExceptions=1': (jobs, signal) => jobs.failureOf('j', signal && { signal }),
  };

  test.each(Object.entries(calls))('does not hang %s', async (path, call) => {
    answers[path] = answer;
    const from = performance.now();
    await expect(call(flink())).rejects.toMatchObject({ code: 'FlinkUnreachable', retryable: true });
    expect(performance.now() - from).toBeLessThan(2_000);
  });

  test.each(Object.entries(calls))('lets the caller give up %s', async (path, call) => {
    answers[path] = answer;
    const reason = new Error('given up');
    const giveUp = new AbortController();
    setTimeout(() => giveUp.abort(reason), 30);
    const slow = flinkRestJobs({ region: 'mumbai', url });
    await expect(call(slow, giveUp.signal)).rejects.toBe(reason);
  });
});

test('a server that is not Flink is told so', async () => {
  answers['GET /jobs/overview'] = { body: '<html>hello</html>' };
  await expect(flink().list()).rejects.toMatchObject({ code: 'FlinkRefused' });
});

test('nobody at the address is unreachable', async () => {
  server.close();
  server.closeAllConnections();
  await expect(flink().list()).rejects.toMatchObject({ code: 'FlinkUnreachable' });
});

test('a text without a cause is its own root cause', () => {
  expect(rootCause('Not found')).toBe('Not found');
  expect(rootCause('')).toBe('no reason given');
});

describe('settings of a job', () => {
  const known = () => {
    answers['GET /jobs/j'] = { body: fixture('job.json') };
    answers['GET /jobs/j/checkpoints/config'] = { body: fixture('checkpoints-config.json') };
    answers['GET /jobmanager/config'] = { body: '[{"key":"execution.checkpointing.num-retained","value":"3"}]' };
    answers['GET /config'] = { body: '{"refresh-interval":3000,"flink-version":"2.2.1"}' };
  };

  test('come from the job and from its cluster', async () => {
    known();
    expect(await flink().settings('j')).toEqual({
      flinkVersion: '2.2.1',
      checkpointing: {
        mode: 'exactly_once',
        intervalMs: 3000,
        timeoutMs: 600_000,
        whenEnded: 'kept',
        stateBackend: 'EmbeddedRocksDBStateBackend',
        storage: 'FileSystemCheckpointStorage',
        unaligned: false,
        changelog: true,
      },
      cluster: new Map([['execution.checkpointing.num-retained', '3']]),
      operators: ['Source: orders-source', 'counter', 'counts-sink: Writer', 'counts-sink: Committer'],
    });
  });

  test('a job without checkpoints has none of their settings, an unknown job is missing', async () => {
    known();
    delete answers['GET /jobs/j/checkpoints/config'];
    expect((await flink().settings('j')).checkpointing).toBeUndefined();
    await expect(flink().settings('nobody')).rejects.toMatchObject({ code: 'JobMissing' });
  });

  test.each([
    [{ interval: 2 ** 63 }, { intervalMs: undefined }],
    [{ externalization: { enabled: false, delete_on_cancellation: true } }, { whenEnded: 'deleted' }],
    [{ externalization: { enabled: true, delete_on_cancellation: true } }, { whenEnded: 'deleted-on-cancellation' }],
  ])('%o means %o', async (change, expected) => {
    known();
    const body = { ...JSON.parse(fixture('checkpoints-config.json')), ...change };
    answers['GET /jobs/j/checkpoints/config'] = { body: JSON.stringify(body) };
    const { checkpointing } = await flink().settings('j');
    expect({ ...checkpointing }).toMatchObject(JSON.parse(JSON.stringify(expected)));
    if ('intervalMs' in expected) expect(checkpointing).not.toHaveProperty('intervalMs');
  });
});

test.each([
  [
    'a job that its JobManager still brings up',
    'org.apache.flink.runtime.dispatcher.UnavailableDispatcherOperationException: Unable to get JobMasterGateway for initializing job.',
    true,
  ],
  ['anything else', 'java.lang.NullPointerException', false],
])('whether 500 of %s is worth asking again is told', async (_, reason, retryable) => {
  answers['GET /jobs/j/checkpoints'] = {
    status: 500,
    body: JSON.stringify({ errors: ['Internal server error.', reason] }),
  };
  await expect(flink().checkpoints('j')).rejects.toMatchObject({ code: 'FlinkRefused', retryable });
});
