import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DaemonEvent, eventHub } from '../../daemon/events.ts';
import type { DeliveryLimits } from '../../daemon/notify/deliver.ts';
import { type Channel, notify } from '../../daemon/notify/notify.ts';
import { slackRequest } from '../../daemon/notify/slack.ts';
import { webhookRequest } from '../../daemon/notify/webhook.ts';
import type { DaemonView } from '../../daemon/service.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { watchRuns } from '../../daemon/watch-runs.ts';
import { createMetrics } from '../../health/metrics.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { openJournal } from '../../state/journal.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';

type Fault = 'ok' | 'hang' | 'reset' | { readonly status: number; readonly retryAfter?: string };

/** What came, and what the next requests get. */
let server: Server;
let origin: string;
let faults: Fault[];
let got: {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
}[];

beforeEach(async () => {
  faults = [];
  got = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, body, atMs: performance.now() });
      const fault = faults.shift() ?? 'ok';
      if (fault === 'reset') request.socket.resetAndDestroy();
      else if (fault === 'ok') response.end('ok');
      else if (fault !== 'hang') {
        const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
        response.writeHead(fault.status, headers).end(`you sent ${request.url}`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const limits: DeliveryLimits = {
  timeoutMs: 1_000,
  retries: 4,
  firstPauseMs: 20,
  longestPauseMs: 100,
  patienceMs: 8_000,
};
const verdict = (n: number, change: 'raised' | 'cleared' = 'raised'): DaemonEvent => ({
  kind: 'verdict-changed',
  change,
  code: `Verdict${n}`,
  severity: 'warning',
  sentence: 'so it is',
  notify: true,
  atMs: n,
});

async function telling(
  use: (told: {
    emit(e: DaemonEvent): void;
    lead(yes: boolean): void;
    logged(): string;
    counted(): Promise<string>;
  }) => Promise<void>,
  make: (common: Pick<Channel, 'name' | 'tell' | 'atLeast'>) => Channel = (common) => ({
    ...common,
    kind: 'slack',
    requestOf: (message, envelope) => slackRequest(message, envelope, `${origin}/T0/B0/hidden`),
  }),
): Promise<void> {
  const log = quietLog();
  const metrics = createMetrics();
  const events = eventHub();
  let leads = true;
  const channels = [make({ name: 'oncall', tell: ['verdicts', 'runs'], atLeast: 'info' })];
  const parts = { channels, source: 'a-b', clock: wallClock, log, metrics, limits, holdMs: 700 };
  const stop = new AbortController();
  const running = notify(parts)({ events, leads: () => leads } as DaemonView).run(stop.signal);
  try {
    await use({
      emit: events.emit,
      lead: (yes) => {
        leads = yes;
      },
      logged: () => JSON.stringify(log.lines),
      async counted() {
        const { body } = await metrics.render({ topics: {}, checkpoints: {} });
        return body;
      },
    });
  } finally {
    stop.abort();
    await running;
  }
}
const titles = () => got.map((g) => /\*(.*?)\*/.exec(JSON.parse(g.body).text)?.[1]);

test('a channel is told in order, once each, whatever its service does first', async () => {
  faults = [{ status: 500 }, 'reset', 'hang', 'ok', { status: 429, retryAfter: '1' }, 'ok'];
  await telling(async ({ emit, counted }) => {
    for (const n of [1, 2, 3]) emit(verdict(n));
    await expect.poll(() => got.length).toBe(7);
    expect(titles()).toEqual(['Verdict1', 'Verdict1', 'Verdict1', 'Verdict1', 'Verdict2', 'Verdict2', 'Verdict3']);
    expect((got[5]?.atMs ?? 0) - (got[4]?.atMs ?? 0)).toBeGreaterThan(990);
    await expect.poll(counted).toContain('argus_notifications_total{channel="oncall",outcome="sent"} 3\n');
  });
});

test('what a service refuses for good is given up at once, logged once, and no part of the secret URL is told', async () => {
  faults = [{ status: 404 }, { status: 403 }, 'ok'];
  await telling(async ({ emit, counted, logged }) => {
    for (const n of [1, 2, 3]) emit(verdict(n));
    await expect.poll(counted).toContain('argus_notifications_total{channel="oncall",outcome="sent"} 1\n');
    expect(await counted()).toContain('argus_notifications_total{channel="oncall",outcome="failed"} 2\n');
    expect(got).toHaveLength(3);
    expect(logged().match(/was not told/g)).toHaveLength(1);
    expect(logged()).toContain('status 404');
    expect(logged()).toContain('can be told again');
    expect(logged()).not.toContain('hidden');
  });
});

test('a service that is away for good is given up after its attempts, and the next message is tried', async () => {
  await telling(async ({ emit, counted, logged }) => {
    await new Promise((resolve) => server.close(resolve));
    emit(verdict(1));
    await expect.poll(counted).toContain('argus_notifications_total{channel="oncall",outcome="failed"} 1\n');
    expect(logged()).toMatch(/ECONNREFUSED/);
  });
});

test('a signed request keeps its id over all attempts', async () => {
  faults = [{ status: 503 }, 'ok'];
  const target = { secret: 'x', headers: { authorization: 'Bearer hidden' } };
  await telling(
    async ({ emit }) => {
      emit(verdict(1));
      await expect.poll(() => got.length).toBe(2);
      expect(got[0]?.headers['webhook-id']).toBe(got[1]?.headers['webhook-id']);
      expect(got[0]?.headers['webhook-signature']).toMatch(/^v1,/);
      expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({
        type: 'argus.verdict-changed',
        data: { source: 'a-b', event: { code: 'Verdict1' } },
      });
    },
    (common) => ({
      ...common,
      kind: 'webhook',
      requestOf: (message, envelope) => webhookRequest(message, envelope, { ...target, url: origin }),
    }),
  );
});

test('a run of another process is told, with its reason, RTO and RPO', async () => {
  const state = memoryObjectStore('state');
  const stop = new AbortController();
  let watching: Promise<void> | undefined;
  await telling(async (told) => {
    const parts = { state, clock: wallClock, log: quietLog(), metrics: createMetrics(), periodMs: 50 };
    watching = watchRuns(parts)({ events: { emit: told.emit } } as unknown as DaemonView).run(stop.signal);
    await wallClock.sleep(100);
    const journal = openJournal(state, { run: '20271121T000000Z-failover-00aa', epoch: 1 }, wallClock);
    const details = { from: 'mumbai', to: 'singapore', reason: 'flood' };
    await journal.append({ kind: 'run-started', runbook: 'failover', by: 'ann@laptop', details });
    const loss = { estimatedRecords: 3, ms: 90, estimated: true };
    const report = { rtoMs: 31_000, rpo: { topics: { events: loss } } };
    await journal.append({ kind: 'run-finished', outcome: 'done', report });
    await expect.poll(() => got.length).toBe(2);
    const texts = got.map((g) => (JSON.parse(g.body) as { readonly text: string }).text);
    expect(texts[0]).toMatch(/A failover has begun: mumbai to singapore[\s\S]*ann@laptop[\s\S]*flood/);
    expect(texts[1]).toMatch(/The failover is done[\s\S]*RTO 31\.0 s\nRPO 3 records, the oldest 90 ms/);
  });
  stop.abort();
  await watching;
});

test('a daemon that does not lead tells nothing, but what came just before it does', async () => {
  await telling(async ({ emit, lead }) => {
    lead(false);
    emit(verdict(1));
    await wallClock.sleep(1_500);
    expect(got).toHaveLength(0);
    emit(verdict(2));
    lead(true);
    emit(verdict(3));
    await expect.poll(() => got.length).toBe(2);
    expect(titles()).toEqual(['Verdict2', 'Verdict3']);
  });
});

test('what waits when the daemon stops is tried for a short while, also when it leads no more', async () => {
  faults = ['hang', 'ok'];
  await telling(async ({ emit, lead }) => {
    emit(verdict(1));
    emit(verdict(2));
    await expect.poll(() => got.length).toBe(1);
    lead(false);
  });
  expect(titles()).toEqual(['Verdict1', 'Verdict1', 'Verdict2']);
  got = [];
  faults = Array.from({ length: 9 }, () => 'hang');
  await telling(async ({ emit }) => emit(verdict(1)));
  expect(got.length, 'not as often as usually').toBeLessThan(1 + limits.retries);
});
