import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloudflareRecords } from '../../regions/dns/cloudflare-records.ts';
import { nodeResolver } from '../../regions/dns/node-resolver.ts';

const name = 'ingest.argus.test';
let server: ChildProcess;
let apiUrl: string;
let dns: string;

beforeAll(async () => {
  const entry = fileURLToPath(new URL('../../lab/cloudflare/cloudflare-process.ts', import.meta.url));
  server = spawn(
    process.execPath,
    [
      entry,
      ...'--api-port 0 --dns-port 0 --zone argus.test --token t0ken --record'.split(' '),
      `${name}=127.0.1.1`,
    ].concat([1, 2, 3, 4].flatMap((n) => ['--record', `n${n}.argus.test=127.0.1.1`])),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ready = await new Promise<{ apiPort: number; dnsPort: number }>((resolve, reject) => {
    server.stdout!.setEncoding('utf8').once('data', (line: string) => resolve(JSON.parse(line)));
    server.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
  apiUrl = `http://127.0.0.1:${ready.apiPort}/client/v4`;
  dns = `127.0.0.1:${ready.dnsPort}`;
});

afterAll(() => {
  server.kill('SIGTERM');
});

const records = (over: Partial<Parameters<typeof cloudflareRecords>[0]> = {}) =>
  cloudflareRecords({ zone: 'argus.test', token: 't0ken', apiUrl, ...over });

describe('names at the provider', () => {
  test('a record is found by name and type, and its new content is what a resolver answers', async () => {
    const [before] = await records().find(name, 'A');
    expect(before).toMatchObject({ name, type: 'A', content: '127.0.1.1', proxied: false });
    const after = await records().setContent(before!.id, '127.0.2.1');
    expect(after).toEqual({ ...before, content: '127.0.2.1' });
    expect(await nodeResolver(dns).resolve(name, 'A')).toEqual(['127.0.2.1']);
  });

  test('a name without records is empty, not an error', async () => {
    expect(await records().find('nobody.argus.test', 'A')).toEqual([]);
    expect(await nodeResolver(dns).resolve('nobody.argus.test', 'A')).toEqual([]);
    expect(await nodeResolver(dns).resolve(name, 'AAAA')).toEqual([]);
  });

  test('a wrong token is denied, and not shown', async () => {
    const wrong = records({ token: 'wr0ng' }).find(name, 'A');
    await expect(wrong).rejects.toMatchObject({ code: 'DnsDenied', exitCode: 2 });
    await expect(wrong).rejects.not.toThrow(/wr0ng/);
  });

  test('a zone that the token does not show is named', async () => {
    await expect(records({ zone: 'other.test' }).find(name, 'A')).rejects.toMatchObject({ code: 'DnsZoneMissing' });
  });

  test('a record that is gone fails', async () => {
    await expect(records().setContent('f'.repeat(32), '127.0.2.1')).rejects.toMatchObject({ code: 'DnsFailed' });
  });
});

describe('faults of the API', () => {
  const other = (n: number) => `n${n}.argus.test`;
  const fault = (body: unknown) =>
    fetch(`${apiUrl.replace('/client/v4', '')}/_faults`, { method: 'PUT', body: JSON.stringify(body) });

  test.each([
    ['429 with retry-after', { status: 429, retryAfter: 1 }],
    ['500, twice', { status: 500, count: 2 }],
    ['a change whose answer is lost', { reset: true, afterEffect: true, method: 'PATCH' }],
  ])('%s is got through', async (_, body) => {
    const through = records();
    const [before] = await through.find(name, 'A');
    await fault(body);
    const to = before?.content === '127.0.1.1' ? '127.0.2.1' : '127.0.1.1';
    expect(await through.setContent(before!.id, to)).toMatchObject({ content: to });
  });

  test('a change of several records of which some fail is finished by doing it again', async () => {
    const through = records({ deadlineMs: 2_000 });
    const flip = () =>
      Promise.allSettled(
        [1, 2, 3, 4].map(async (n) => {
          const [record] = await through.find(other(n), 'A');
          await through.setContent(record!.id, '127.0.2.1');
        }),
      );
    await fault({ status: 400, method: 'PATCH', skip: 2, count: 2 });
    expect((await flip()).filter((r) => r.status === 'rejected')).toHaveLength(2);
    expect((await flip()).filter((r) => r.status === 'rejected')).toHaveLength(0);
    for (const n of [1, 2, 3, 4]) expect(await nodeResolver(dns).resolve(other(n), 'A')).toEqual(['127.0.2.1']);
  });
});

describe('what does not answer', () => {
  test('ends a call of the API by its deadline, retries included', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const call = records({ apiUrl: `http://127.0.0.1:${port}`, deadlineMs: 300 }).find(name, 'A');
    await expect(call).rejects.toMatchObject({ code: 'DnsUnreachable', retryable: true });
    silent.close();
  });

  test('is an unreachable API when nobody listens', async () => {
    const call = records({ apiUrl: 'http://127.0.0.1:1' }).find(name, 'A');
    await expect(call).rejects.toMatchObject({ code: 'DnsUnreachable', retryable: true });
  });

  test('is an unreachable resolver after 2 s, not after the minute that a resolver takes by itself', async () => {
    const from = Date.now();
    await expect(nodeResolver('127.0.0.1:1').resolve(name, 'A')).rejects.toMatchObject({ code: 'DnsUnreachable' });
    expect(Date.now() - from).toBeLessThan(10_000);
  });

  test('is given up at once when the caller stops', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stop'));
    await expect(nodeResolver(dns).resolve(name, 'A', { signal: stop.signal })).rejects.toThrow('stop');
    await expect(records().find(name, 'A', { signal: stop.signal })).rejects.toThrow('stop');
  });
});
