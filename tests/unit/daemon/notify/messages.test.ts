import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { DaemonEvent } from '../../../../daemon/events.ts';
import { retryAfterMs } from '../../../../daemon/notify/deliver.ts';
import { type Message, messagesOf } from '../../../../daemon/notify/message.ts';
import { isFor } from '../../../../daemon/notify/notify.ts';
import { emptyOutbox, outboxLimit, post } from '../../../../daemon/notify/outbox.ts';
import { pagerDutyRequest } from '../../../../daemon/notify/pagerduty.ts';
import { slackRequest } from '../../../../daemon/notify/slack.ts';
import { webhookRequest } from '../../../../daemon/notify/webhook.ts';

const atMs = Date.UTC(2027, 0, 2, 3, 4, 5);
const verdict = (change: 'raised' | 'cleared', changes: object = {}): DaemonEvent => ({
  kind: 'verdict-changed',
  change,
  code: 'PrimaryDead',
  severity: 'critical',
  sentence: 'mumbai is dead: 3 of 3 observers',
  notify: true,
  atMs,
  ...changes,
});
const ended = (changes: object = {}): DaemonEvent => ({
  kind: 'run-ended',
  run: 'r1',
  runbook: 'failover',
  outcome: 'done',
  rtoMs: 31_240,
  report: { rpo: { topics: { events: { estimatedRecords: 12, ms: 400, estimated: true } } } },
  atMs,
  ...changes,
});
const message = (changes: Partial<Message> = {}): Message => ({
  topic: 'verdicts',
  key: 'verdict/PrimaryDead/',
  state: 'open',
  severity: 'critical',
  title: 'PrimaryDead',
  lines: ['a <b> & c'],
  atMs,
  ...changes,
});
const envelope = { id: 'm-1', source: 'mumbai-singapore', sentAtMs: atMs + 700 };
const bodyOf = (request: { readonly body: string }) => JSON.parse(request.body);

describe('what people are told', () => {
  it('opens a verdict and closes it under one key; one that nobody is to be told of is left out', () => {
    const [raised] = messagesOf(verdict('raised'));
    const [cleared] = messagesOf(verdict('cleared'));
    expect(raised).toMatchObject({ state: 'open', severity: 'critical', title: 'PrimaryDead' });
    expect(cleared).toMatchObject({ state: 'closed', key: raised?.key, title: 'PrimaryDead is over' });
    expect(messagesOf(verdict('raised', { notify: false }))).toEqual([]);
  });

  it('tells RTO and RPO at the end of a run, and opens a matter for one that failed', () => {
    expect(messagesOf(ended())).toMatchObject([
      {
        state: 'closed',
        title: 'The failover is done',
        lines: ['RTO 31.2 s', 'RPO 12 records, the oldest 400 ms before the outage (estimated)', 'argus runs show r1'],
      },
    ]);
    const proven = ended({ report: { rpo: { provenZero: true } } });
    expect(messagesOf(proven)[0]?.lines).toContain('RPO 0: nothing was lost, and that is proven');
    const unknown = ended({
      report: { rpo: { topics: { a: { estimatedRecords: null, ms: null, estimated: true } } } },
    });
    expect(messagesOf(unknown)[0]?.lines[1]).toMatch(/^RPO unknown/);
    expect(messagesOf(ended({ outcome: 'failed' }))).toMatchObject([{ state: 'open', severity: 'critical' }]);
  });

  it('closes the proposal when a failover is begun', () => {
    const [proposed] = messagesOf({
      kind: 'failover-proposed',
      from: 'mumbai',
      to: 'singapore',
      sentence: 'mumbai is dead',
      command: 'argus failover --plan p.json',
      blockers: [{ code: 'X', message: 'no room' }],
      atMs,
    });
    expect(proposed).toMatchObject({ state: 'open', severity: 'critical' });
    expect(proposed?.lines).toContain('Begin it with: argus failover --plan p.json');
    const begun = messagesOf({ kind: 'run-started', run: 'r1', runbook: 'failover', by: 'ann', atMs });
    expect(begun.map((m) => [m.state, m.key])).toEqual([
      ['note', 'run/r1'],
      ['closed', proposed?.key],
    ]);
  });

  test.each([
    ['HoldDown', 'info'],
    ['RunCutOff', 'critical'],
  ])('a decision that waits because of %s is %s', (code, severity) => {
    const reasons = [{ code, message: 'why' }];
    const waits: DaemonEvent = { kind: 'decision-changed', decision: 'wait', sentence: 'it waits', reasons, atMs };
    expect(messagesOf(waits)).toMatchObject([{ state: 'note', severity }]);
  });

  test.each([
    ['all that is at least a warning', { atLeast: 'warning' }, message({ severity: 'warning' }), true],
    ['nothing below', { atLeast: 'warning' }, message({ severity: 'info' }), false],
    ['the end of everything', { atLeast: 'critical' }, message({ state: 'closed', severity: 'info' }), true],
    ['nothing of other topics', { atLeast: 'info' }, message({ topic: 'steps' }), false],
  ] as const)('a channel is told %s', (_what, { atLeast }, told, expected) => {
    expect(isFor({ tell: ['verdicts'], atLeast }, told)).toBe(expected);
  });
});

describe('requests', () => {
  it('Slack: one text, its three characters escaped', () => {
    const request = slackRequest(message(), envelope, 'https://hooks.example/secret');
    expect(bodyOf(request)).toEqual({
      text: ':rotating_light: *PrimaryDead*  (mumbai-singapore)\na &lt;b&gt; &amp; c',
    });
  });

  it('PagerDuty: an alert and its end share their key; what nobody has to look at is a change', () => {
    const to = { routingKey: 'K', url: 'https://events.example/' };
    const opened = pagerDutyRequest(message(), envelope, to);
    expect(opened.url).toBe('https://events.example/v2/enqueue');
    expect(bodyOf(opened)).toMatchObject({
      routing_key: 'K',
      event_action: 'trigger',
      dedup_key: 'argus/mumbai-singapore/verdict/PrimaryDead/',
      payload: {
        summary: 'PrimaryDead',
        source: 'mumbai-singapore',
        severity: 'critical',
        timestamp: '2027-01-02T03:04:05.000Z',
      },
    });
    const closed = bodyOf(pagerDutyRequest(message({ state: 'closed' }), envelope, to));
    expect(closed).toMatchObject({ event_action: 'resolve', dedup_key: bodyOf(opened).dedup_key });
    const note = pagerDutyRequest(message({ state: 'note', title: 'x'.repeat(2_000) }), envelope, to);
    expect(note.url).toBe('https://events.example/v2/change/enqueue');
    expect(bodyOf(note)).toMatchObject({ routing_key: 'K', payload: { source: 'mumbai-singapore' } });
    expect(bodyOf(note).payload.summary).toHaveLength(1_024);
  });

  it('webhook: signed over id, time and body; the secret as it is, or as base64', () => {
    const key = Buffer.from('a key of some length');
    for (const secret of [key.toString(), `whsec_${key.toString('base64')}`]) {
      const { headers, body } = webhookRequest(message(), envelope, {
        url: 'https://x',
        secret,
        headers: { 'x-a': 'b' },
      });
      const content = `m-1.${Math.floor(envelope.sentAtMs / 1_000)}.${body}`;
      const expected = createHmac('sha256', key).update(content).digest('base64');
      expect(headers).toMatchObject({ 'webhook-id': 'm-1', 'webhook-signature': `v1,${expected}`, 'x-a': 'b' });
    }
    const unsigned = webhookRequest(message(), envelope, { url: 'https://x', headers: {} });
    expect(unsigned.headers).not.toHaveProperty('webhook-signature');
  });

  test.each([
    ['7', 7_000],
    ['Sat, 02 Jan 2027 03:04:15 GMT', 10_000],
    ['soon', undefined],
    [null, undefined],
  ])('a service that asks for patience (%s)', (value, ms) => {
    expect(retryAfterMs(value, atMs)).toBe(ms);
  });
});

describe('what waits for a channel', () => {
  it('does not say the same of a matter again within ten minutes', () => {
    const first = post(emptyOutbox, message());
    const again = post(first.outbox, message({ atMs: atMs + 60_000 }));
    expect(again.outbox.waiting).toHaveLength(1);
    const over = post(again.outbox, message({ state: 'closed', atMs: atMs + 61_000 }));
    expect(post(over.outbox, message({ atMs: atMs + 62_000 })).outbox.waiting).toHaveLength(3);
    expect(post(first.outbox, message({ atMs: atMs + 600_000 })).outbox.waiting).toHaveLength(2);
  });

  it('is bounded, keeps its order, and gives up what matters least', () => {
    const any = fc.record({
      topic: fc.constantFrom('verdicts', 'runs', 'steps'),
      state: fc.constantFrom('open', 'closed', 'note'),
    });
    fc.assert(
      fc.property(fc.array(any, { minLength: outboxLimit, maxLength: outboxLimit + 60 }), (all) => {
        let outbox = emptyOutbox;
        let dropped = 0;
        all.forEach((m, i) => {
          const posted = post(outbox, message({ ...m, key: String(i), atMs: i } as Partial<Message>));
          outbox = posted.outbox;
          dropped += posted.dropped.length;
          if (posted.dropped.some((d) => d.state === 'open' && d.topic !== 'steps'))
            expect(outbox.waiting.every((w) => w.state === 'open' && w.topic !== 'steps')).toBe(true);
        });
        expect(outbox.waiting.length).toBeLessThanOrEqual(outboxLimit);
        expect(outbox.waiting.length + dropped).toBe(all.length);
        const order = outbox.waiting.map((m) => m.atMs);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }),
      { numRuns: 20 },
    );
  });
});
