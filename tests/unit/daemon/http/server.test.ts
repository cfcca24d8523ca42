import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jsonAnswer, jsonType, type Route } from '../../../../daemon/http/route.ts';
import { type HttpSettings, serveRoutes } from '../../../../daemon/http/server.ts';
import { makeCertificate } from '../../../support/certificates.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(ends.splice(0).map((end) => end())));

const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/things/{thing}',
    access: 'read',
    summary: 'A thing',
    answers: { 200: { description: 'it', type: jsonType } },
    handle: ({ params }) => jsonAnswer(200, params),
  },
  {
    method: 'GET',
    path: '/broken',
    access: 'open',
    summary: 'Fails',
    answers: {},
    handle: () => Promise.reject(new Error('the password is hunter2')),
  },
  {
    method: 'POST',
    path: '/api/v1/changes',
    access: 'act',
    summary: 'Changes something',
    answers: { 200: { description: 'done', type: jsonType } },
    body: z.object({ n: z.number() }),
    handle: ({ body }) => jsonAnswer(200, body),
  },
];
const tokens = { readTokens: ['r-token'], actTokens: ['a-token'] };
const open = { readTokens: [], actTokens: [], clientCertificates: false, readableOnTheWay: false };

async function serve(access: Partial<HttpSettings['access']> = {}, tls?: HttpSettings['tls']): Promise<string> {
  const settings = { access: { ...open, ...access }, ...(tls && { tls }) };
  const { url, close } = await serveRoutes(routes, { ...settings, host: '127.0.0.1', port: 0 });
  ends.push(close);
  return url;
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const post = (url: string, headers: Record<string, string> = {}, body = '{"n":1}') =>
  fetch(`${url}/api/v1/changes`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

describe('reading', () => {
  it('needs no token where none is configured', async () => {
    const answer = await fetch(`${await serve()}/api/v1/things/a%2Fb`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ thing: 'a/b' });
  });
  it('needs one where one is configured: as a bearer, or as the password that a browser asks for', async () => {
    const url = `${await serve(tokens)}/api/v1/things/a`;
    const refused = await fetch(url);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="argus", Bearer');
    const basic = { authorization: `Basic ${Buffer.from('me:r-token').toString('base64')}` };
    for (const headers of [bearer('r-token'), bearer('a-token'), basic])
      expect((await fetch(url, { headers })).status).toBe(200);
    for (const wrong of ['r-tokeN', 'r-token2', 'r-toke', ''])
      expect((await fetch(url, { headers: bearer(wrong) })).status, wrong).toBe(401);
  });
});

describe('what changes something', () => {
  it('is off without a token in the configuration, and says so', async () => {
    const answer = await post(await serve(), bearer('anything'));
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: 'EndpointOff' } });
  });
  it('is off where its token could be read on the way', async () => {
    const answer = await post(await serve({ ...tokens, readableOnTheWay: true }), bearer('a-token'));
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: 'TlsNeeded' } });
  });
  it('refuses without a token, with a wrong one, with one that only reads, and for a page of another site', async () => {
    const url = await serve(tokens);
    expect((await post(url)).status).toBe(401);
    expect((await post(url, bearer('x'))).status).toBe(401);
    expect((await post(url, bearer('r-token'))).status).toBe(403);
    expect((await post(url, { ...bearer('a-token'), origin: 'https://example.com' })).status).toBe(403);
    expect((await post(url, bearer('a-token'))).status).toBe(200);
  });
  it('takes JSON of its shape alone, up to a bound', async () => {
    const url = await serve(tokens);
    const token = bearer('a-token');
    expect((await post(url, token, '{"n":"1"}')).status).toBe(400);
    expect((await post(url, token, '{')).status).toBe(400);
    expect((await post(url, { ...token, 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(url, token, `{"n":1,"x":"${'x'.repeat(1024 * 1024)}"}`)).status).toBe(413);
  });
  it('is refused before its body is read, for who has no token', async () => {
    expect((await post(await serve(tokens), {}, '{')).status).toBe(401);
  });
});

describe('the server', () => {
  it('does not listen for the rest of a minute to who showed many wrong tokens', async () => {
    const url = await serve(tokens);
    for (let i = 0; i < 20; i++) expect((await post(url, bearer(`guess-${i}`))).status).toBe(401);
    const barred = await post(url, bearer('a-token'));
    expect(barred.status).toBe(429);
    expect(Number(barred.headers.get('retry-after'))).toBeGreaterThan(0);
  });
  it('tells what it does not serve, and no file of the machine', async () => {
    const url = await serve();
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    const method = await fetch(`${url}/api/v1/things/a`, { method: 'DELETE' });
    expect([method.status, method.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    for (const path of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/api/v1/things/..%2f..%2fetc%2fpasswd']) {
      const text = await raw(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(text).not.toContain('root:');
    }
  });
  it('says nothing of a failure of its own', async () => {
    const answer = await fetch(`${await serve()}/broken`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('hunter2');
  });
  it('lets no page run what is not its own', async () => {
    const { headers } = await fetch(`${await serve()}/api/v1/things/a`);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  });
  it('bounds the headers of a request', async () => {
    const url = await serve();
    expect((await fetch(url, { headers: { x: 'y'.repeat(20_000) } })).status).toBe(431);
  });
  it('names the port that it can not have', async () => {
    const url = await serve();
    const again = serveRoutes([], { access: open, host: '127.0.0.1', port: Number(new URL(url).port) });
    await expect(again).rejects.toMatchObject({ code: 'ListenFailed', exitCode: 2 });
  });
});

describe('with TLS', () => {
  const ca = makeCertificate('ca');
  const server = makeCertificate('localhost', { signedBy: ca, names: ['127.0.0.1'] });
  const tls = { cert: server.cert, key: server.key, ca: ca.cert };
  const ask = (url: string, client?: { readonly cert: string; readonly key: string }) =>
    new Promise<number | undefined>((resolve, reject) => {
      const agent = new Agent({ ca: ca.cert, ...(client && { cert: client.cert, key: client.key }) });
      const headers = { 'content-type': 'application/json' };
      const asked = request(`${url}/api/v1/changes`, { agent, method: 'POST', headers }, (answer) => {
        answer.resume().on('end', () => {
          agent.destroy();
          resolve(answer.statusCode);
        });
      });
      asked.on('error', reject).end('{"n":1}');
    });

  it('takes a certificate that the configured authority signed for one of the names, and no other', async () => {
    const url = await serve({ clientCertificates: true, clientNames: ['alertmanager'] }, tls);
    expect(await ask(url, makeCertificate('alertmanager', { signedBy: ca }))).toBe(200);
    expect(await ask(url, makeCertificate('somebody', { signedBy: ca }))).toBe(401);
    expect(await ask(url, makeCertificate('alertmanager', { signedBy: makeCertificate('ca') }))).toBe(401);
    expect(await ask(url)).toBe(401);
  });
});

function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    let got = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      got += chunk;
    });
    socket.on('end', () => resolve(got)).on('error', reject);
  });
}
