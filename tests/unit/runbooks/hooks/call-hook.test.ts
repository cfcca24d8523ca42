import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callProgram, callUrl } from '../../../../runbooks/hooks/call-hook.ts';
import type { HookCall } from '../../../../runbooks/hooks/hook-steps.ts';

const about: HookCall = {
  hook: 'tell',
  run: '20261121T103000Z-failover-0001',
  runbook: 'failover',
  step: 'flip-names',
  when: 'before',
  epoch: 7,
  from: 'mumbai',
  to: 'singapore',
};
const { signal } = new AbortController();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'argus-hook-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a program', () => {
  const call = (script: string, over: Partial<Parameters<typeof callProgram>[0]> = {}, stop = signal) =>
    callProgram({ command: ['/bin/sh', '-c', script], folder, env: {}, timeoutMs: 10_000, ...over }, about, stop);

  test('is told what it is called for, and nothing of the secrets of Argus', async () => {
    process.env.ARGUS_TEST_SECRET = 'hidden';
    const { ok, result, output } = await call('env; pwd', { env: { TOKEN: 't0ken' } });
    delete process.env.ARGUS_TEST_SECRET;
    expect({ ok, result }).toEqual({ ok: true, result: 'exit code 0' });
    for (const line of [
      'ARGUS_RUN=20261121T103000Z-failover-0001',
      'ARGUS_STEP=flip-names',
      'ARGUS_EPOCH=7',
      'ARGUS_TO=singapore',
      folder,
    ])
      expect(output).toContain(line);
    expect(output).not.toContain('hidden');
  });

  test('never has its secrets kept', async () => {
    const { output } = await call('echo "the token is $TOKEN"', { env: { TOKEN: 't0ken' } });
    expect(output).toBe('the token is …');
  });

  test.each([
    ['exit 3', 'exit code 3'],
    ['kill -9 $$', 'signal SIGKILL'],
  ])('fails by %s', async (script, result) => {
    expect(await call(script)).toMatchObject({ ok: false, result });
  });

  test('that is not there fails', async () => {
    const answer = await call('', { command: [join(folder, 'nothing')] });
    expect(answer).toMatchObject({ ok: false, result: expect.stringContaining('ENOENT') });
  });

  test('is ended with all its children when its time is up', async () => {
    const beats = join(folder, 'beats');
    const script = `trap '' TERM; (trap '' TERM; while :; do echo x >> ${beats}; sleep 0.05; done) & wait; echo late`;
    const answer = await call(script, { timeoutMs: 300 });
    expect(answer).toMatchObject({ ok: false, result: 'no end within 0.3 s', output: '' });
    const { size } = statSync(beats);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(statSync(beats).size).toBe(size);
  });

  test('is ended by the run', async () => {
    const stop = new AbortController();
    const answer = call('sleep 60', {}, stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 100);
    await expect(answer).rejects.toThrow('stopped');
  });

  test('keeps the end of what it says', async () => {
    const { output } = await call('i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done');
    expect(output.length).toBeLessThanOrEqual(2_000);
    expect(output.endsWith('line 2999')).toBe(true);
  });
});

describe('a URL', () => {
  const asked: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push({ request, body });
    if (request.url === '/slow') return;
    const status = Number(request.url?.slice(1));
    response
      .writeHead(status, status === 302 ? { location: '/204' } : {})
      .end(status === 204 ? undefined : `s3cret ${status}`);
  });
  let root: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const call = (path: string, over: Partial<Parameters<typeof callUrl>[0]> = {}) =>
    callUrl(
      {
        url: root + path,
        method: 'POST',
        headers: { authorization: 's3cret' },
        timeoutMs: 2_000,
        secrets: ['s3cret'],
        ...over,
      },
      about,
      signal,
    );

  test('gets what it is called for as JSON, with its headers', async () => {
    expect(await call('/204')).toEqual({ ok: true, result: 'status 204', output: '' });
    const last = asked.at(-1);
    expect(JSON.parse(last?.body ?? '')).toEqual(about);
    expect(last?.request.headers).toMatchObject({ authorization: 's3cret', 'content-type': 'application/json' });
  });

  test.each([302, 404, 500])('fails with status %i, its secrets left out', async (status) => {
    expect(await call(`/${status}`)).toEqual({ ok: false, result: `status ${status}`, output: `… ${status}` });
  });

  test('that does not answer, or in time, fails', async () => {
    expect(await call('/slow', { timeoutMs: 200 })).toMatchObject({ ok: false, result: 'no answer within 0.2 s' });
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const refused = await call('', { url: `http://127.0.0.1:${port}/s3cret` });
    expect(refused).toMatchObject({ ok: false, result: expect.stringContaining('ECONNREFUSED') });
  });
});
