import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type DaemonEvent, eventHub } from '../../../../daemon/events.ts';
import { type Channel, newBacklog, notify } from '../../../../daemon/notify/notify.ts';
import type { DaemonView } from '../../../../daemon/service.ts';
import { wallClock } from '../../../../daemon/wall-clock.ts';
import { createMetrics } from '../../../../health/metrics.ts';
import { quietLog } from '../quiet-log.ts';

/** What came, and whether it is answered. */
let got: string[] = [];
let answers = true;
const server = createServer((request, response) => {
  got.push(request.url ?? '');
  if (answers) response.end('ok');
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterEach(() => server.closeAllConnections());
afterAll(() => new Promise((resolve) => server.close(resolve)));

const verdict = (code: string): DaemonEvent => ({
  kind: 'verdict-changed',
  change: 'raised',
  code,
  severity: 'critical',
  sentence: 'so it is',
  notify: true,
  atMs: 1,
});

const channel = (name: string): Channel => ({
  name,
  kind: 'webhook',
  tell: ['verdicts'],
  atLeast: 'info',
  requestOf: ({ title }) => ({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}/${title}`,
    headers: {},
    body: '{}',
  }),
});

/** One daemon's events and backlog; `run` tells with these channels until `use` has ended. */
function daemon() {
  got = [];
  const events = eventHub();
  const backlog = newBacklog();
  const common = { source: 'a-b', clock: wallClock, log: quietLog(), metrics: createMetrics(), backlog };
  const view = { events, leads: () => true } as DaemonView;
  async function run(names: readonly string[], use: () => Promise<void> | void): Promise<void> {
    const stop = new AbortController();
    const running = notify({ ...common, channels: names.map(channel) })(view).run(stop.signal);
    await use();
    stop.abort();
    await running;
  }
  return { emit: events.emit, run };
}

test('channels that are exchanged tell nothing again, and what happened in between', async () => {
  const { emit, run } = daemon();
  await run(['oncall'], async () => {
    emit(verdict('A'));
    await expect.poll(() => got).toEqual(['/oncall/A']);
  });
  emit(verdict('B'));
  await run(['oncall', 'chat'], async () => {
    await expect.poll(() => got).toEqual(['/oncall/A', '/oncall/B', '/chat/B']);
  });
});

test('a first channel is told of what happens from then on', async () => {
  const { emit, run } = daemon();
  await run([], () => emit(verdict('A')));
  await run(['oncall'], async () => {
    emit(verdict('B'));
    await expect.poll(() => got.length).toBeGreaterThan(0);
  });
  expect(got).toEqual(['/oncall/B']);
});

test('what a service did not take before its channel was exchanged is told by the next, in order', async () => {
  const { emit, run } = daemon();
  answers = false;
  await run(['oncall'], async () => {
    emit(verdict('A'));
    emit(verdict('B'));
    await expect.poll(() => got).toEqual(['/oncall/A']);
  });
  answers = true;
  await run(['oncall'], () => expect.poll(() => got).toEqual(['/oncall/A', '/oncall/A', '/oncall/B']));
});
