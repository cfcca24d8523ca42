import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { flinkRestJobs } from '../../../../regions/flink/flink-rest-jobs.ts';

let server: Server;
let url: string;
let asked: { readonly request: string; readonly body: string }[];
let answers: Record<string, { readonly status: number; readonly body: unknown }>;

beforeEach(async () => {
  asked = [];
  answers = {};
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const what = `${request.method} ${request.url}`;
    asked.push({ request: what, body });
    const { status, body: answer } = answers[what] ?? { status: 404, body: { errors: ['Not found'] } };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const flink = () => flinkRestJobs({ region: 'mumbai', url });
const stop = { jobId: 'j', directory: 's3://b/savepoints', triggerId: 'a'.repeat(32), format: 'NATIVE' as const };

test('a stop with savepoint never drains, and names its request itself', async () => {
  answers['POST /jobs/j/stop'] = { status: 202, body: { 'request-id': stop.triggerId } };
  await flink().stopWithSavepoint?.(stop);
  expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
    targetDirectory: 's3://b/savepoints',
    drain: false,
    formatType: 'NATIVE',
    triggerId: stop.triggerId,
  });
});

test('a job that is not there can not be stopped', async () => {
  await expect(flink().stopWithSavepoint?.(stop)).rejects.toMatchObject({ code: 'JobMissing' });
});

const stands = (status: string, operation?: unknown) => ({ status: 200, body: { status: { id: status }, operation } });
const trace =
  'org.apache.flink.util.SerializedThrowable: outer\n\tat x\nCaused by: java.io.IOException: disk full\n\tat y';

test.each([
  ['is under way', stands('IN_PROGRESS', null), { kind: 'running' }],
  ['is done', stands('COMPLETED', { location: 's3://b/s-1' }), { kind: 'done', path: 's3://b/s-1' }],
  [
    'failed, with its innermost cause',
    stands('COMPLETED', { 'failure-cause': { class: 'x', 'stack-trace': trace } }),
    { kind: 'failed', reason: 'java.io.IOException: disk full' },
  ],
  ['is not known', { status: 404, body: { errors: ['no such trigger'] } }, { kind: 'unknown' }],
])('the request %s', async (_, answer, expected) => {
  answers[`GET /jobs/j/savepoints/${stop.triggerId}`] = answer;
  expect(await flink().savepointStop?.('j', stop.triggerId)).toEqual(expected);
});
