import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { wallClock } from '../../../../daemon/wall-clock.ts';
import { acknowledgeRoute } from '../../../../daemon/web/acknowledge-route.ts';
import { alertRoute } from '../../../../daemon/webhook/alert-route.ts';
import type { AlertAnswer } from '../../../../daemon/webhook/desk.ts';
import { assembleStatus } from '../../../../health/status.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { openJournal } from '../../../../state/journal.ts';
import { type PageWorld, startPages } from '../../../support/page-world.ts';
import { facts } from '../../health/status-sample.ts';

const status = assembleStatus(facts());
const answer: AlertAnswer = {
  received: 1,
  action: 'propose',
  result: 'proposed',
  sentence: 'a failover is proposed',
  status,
  proposal: { sentence: 'a failover is proposed', command: 'argus failover', blockers: [{ code: 'A', message: 'b' }] },
  automatic: { kind: 'wait', sentence: 'mode is manual', reasons: [] },
};
let world: PageWorld;
const run = '20261121T230102Z-failover-ab12';

beforeAll(async () => {
  const kept = memoryObjectStore('kept');
  const more = [alertRoute({ answer: async () => answer }), acknowledgeRoute(kept, wallClock)];
  world = await startPages({ access: { readTokens: ['r'], actTokens: ['a'] }, more });
  world.board.put({
    status,
    standing: {
      readiness: { atMs: 1, colour: 'green', sentence: 'all is well', rtoMs: 1, blockers: [] },
      verdicts: [{ code: 'AllWell', severity: 'ok', sentence: 'all is well', sinceMs: 1 }],
      decision: { mode: 'manual', kind: 'idle', sentence: 'nothing to do', reasons: [], atMs: 1 },
    },
  });
  const journal = openJournal(world.state, { run, epoch: 1 }, wallClock);
  await journal.append({
    kind: 'run-started',
    runbook: 'failover',
    by: 'ops',
    details: { steps: [{ id: 'a', title: 'A' }] },
  });
  await journal.append({ kind: 'step-started', step: 'a' });
  await vi.waitFor(() => expect(world.board.facts().runs).toHaveLength(1));
});
afterAll(() => world?.close());

const ask = (path: string, token = 'a', init: RequestInit = {}) =>
  fetch(`${world.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >;
  readonly security: readonly object[];
}
async function document(): Promise<Readonly<Record<string, Readonly<Record<string, Operation>>>>> {
  const { paths } = (await (await ask('/api/v1/openapi.json')).json()) as {
    readonly paths: Awaited<ReturnType<typeof document>>;
  };
  return paths;
}

/** What the document says of this answer, held against it. */
async function expectDescribed(path: string, method: string, response: Response): Promise<void> {
  const operation = (await document())[path]?.[method];
  const described = operation?.responses[String(response.status)];
  expect(described, `${method} ${path} ${response.status}`).toBeDefined();
  const type = (response.headers.get('content-type') ?? '').split(';')[0] as string;
  const schema = described?.content[type]?.schema;
  expect(schema, `${path}: ${type}`).toBeDefined();
  if (type !== 'application/json' || path.endsWith('openapi.json')) return;
  const validate = new Ajv2020({ strict: false }).compile(schema as object);
  validate(await response.json());
  expect(validate.errors).toBeNull();
}

const message = { version: '4', groupKey: 'g', status: 'firing', alerts: [] };
const json = { 'content-type': 'application/json' };
const post = (body: string, headers: Record<string, string> = json): RequestInit => ({ method: 'POST', body, headers });

describe('the OpenAPI document', () => {
  it('has every endpoint that is served, and no other', async () => {
    const described = Object.entries(await document()).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const own = ['GET /metrics', 'GET /healthz', 'GET /readyz', 'GET /api/v1/openapi.json'];
    expect(described.sort()).toEqual([...world.routes.map((r) => `${r.method} ${r.path}`), ...own].sort());
  });

  it.each([
    ['/api/v1/status', '/api/v1/status'],
    ['/api/v1/readiness', '/api/v1/readiness'],
    ['/api/v1/verdicts', '/api/v1/verdicts'],
    ['/api/v1/runs', '/api/v1/runs'],
    ['/api/v1/runs/{run}', `/api/v1/runs/${run}`],
    ['/api/v1/runs/{run}', '/api/v1/runs/unknown'],
    ['/api/v1/openapi.json', '/api/v1/openapi.json'],
    ['/healthz', '/healthz'],
    ['/readyz', '/readyz'],
    ['/metrics', '/metrics'],
    ['/', '/'],
    ['/page.css', '/page.css'],
    ['/page.js', '/page.js'],
  ])('describes what GET %s answers (%s)', async (path, asked) => {
    await expectDescribed(path, 'get', await ask(asked));
  });

  it.each([
    ['a message', post(JSON.stringify(message)), 'a', 200],
    ['another version', post(JSON.stringify({ ...message, version: '5' })), 'a', 400],
    ['no JSON', post('{'), 'a', 400],
    ['a form', post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }), 'a', 415],
    ['too much', post(`"${'x'.repeat(1024 * 1024)}"`), 'a', 413],
    ['a token that only reads', post(JSON.stringify(message)), 'r', 403],
    ['a wrong token', post(JSON.stringify(message)), 'x', 401],
  ])('describes what POST /api/v1/alerts answers to %s', async (_, init, token, code) => {
    const response = await ask('/api/v1/alerts', token, init);
    expect(response.status).toBe(code);
    await expectDescribed('/api/v1/alerts', 'post', response);
  });

  it.each([
    ['who he is', '{"by":"ops","reason":"ticket 7"}', 200],
    ['nothing of himself', '{}', 400],
  ])('describes what POST /api/v1/automatic/acknowledge answers to who says %s', async (_, body, code) => {
    const response = await ask('/api/v1/automatic/acknowledge', 'a', post(body));
    expect(response.status).toBe(code);
    await expectDescribed('/api/v1/automatic/acknowledge', 'post', response);
  });

  it('says that nothing is known yet', async () => {
    const empty = await startPages();
    try {
      for (const path of ['/api/v1/status', '/api/v1/readiness']) {
        const response = await fetch(`${empty.url}${path}`);
        expect(response.status).toBe(503);
        await expectDescribed(path, 'get', response);
      }
      expect(await (await fetch(`${empty.url}/`)).text()).toContain('Looking at both regions');
    } finally {
      await empty.close();
    }
  });
});

describe('every endpoint', () => {
  it('is refused without a token where one is needed, and what changes something always', async () => {
    for (const [path, methods] of Object.entries(await document())) {
      for (const [method, { security }] of Object.entries(methods)) {
        const response = await fetch(`${world.url}${path}`, method === 'post' ? post('{}') : {});
        await response.body?.cancel();
        expect(response.status, `${method} ${path}`).toBe(security.length === 0 ? 200 : 401);
      }
    }
  });
  it('that was asked before is not sent again while nothing has changed', async () => {
    const first = await ask('/api/v1/status');
    const again = await ask('/api/v1/status', 'a', { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
    expect([first.status, again.status]).toEqual([200, 304]);
  });
});

describe('the stream of events', () => {
  it('begins with how things are, and tells what changes and what happens', async () => {
    const response = await ask('/api/v1/events');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (part: string) => {
      while (!text.includes(part)) text += (await reader.read()).value ?? '';
    };
    await until('event: runs\n');
    expect(text).toContain('event: status\n');
    world.board.put({ standing: {} });
    await until('event: standing\ndata: {}\n');
    world.events.emit({ kind: 'decision-changed', decision: 'wait', sentence: 'waits', reasons: [], atMs: 1 });
    await until('event: event\ndata: {"kind":"decision-changed"');
    await reader.cancel();
  });
});
