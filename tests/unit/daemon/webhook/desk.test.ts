import { describe, expect, it } from 'vitest';
import { type AlertMessage, webhookSchema } from '../../../../daemon/webhook/alertmanager.ts';
import { type AlertActions, type AutomaticWord, alertDesk } from '../../../../daemon/webhook/desk.ts';
import { alertsSection } from '../../../../domain/alerts-config.ts';
import { assembleStatus } from '../../../../health/status.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { listAttempts } from '../../../../state/attempts.ts';
import { facts } from '../../health/status-sample.ts';
import { quietLog } from '../quiet-log.ts';

const settings = alertsSection.parse({
  rules: [
    { match: { alertname: 'PrimaryDown', severity: 'critical' }, do: 'act' },
    { match: { alertname: '/.*Down/' }, do: 'propose' },
    { match: { team: 'streaming' }, do: 'check' },
  ],
});

type Labels = Record<string, string>;
const message = (
  labels: Labels,
  { status = 'firing' as 'firing' | 'resolved', groupKey = 'g1', fingerprint = 'f1' } = {},
): AlertMessage =>
  webhookSchema.parse({
    version: '4',
    groupKey,
    status,
    receiver: 'argus',
    groupLabels: {},
    commonLabels: labels,
    commonAnnotations: {},
    externalURL: 'http://alertmanager',
    truncatedAlerts: 0,
    alerts: [
      { status, labels, annotations: {}, startsAt: '2026-11-21T00:00:00Z', endsAt: '', generatorURL: '', fingerprint },
    ],
  });

function world(word?: AutomaticWord, state = memoryObjectStore('state')) {
  let monotonic = 0;
  const clock = { now: () => 1_000_000 + monotonic, monotonic: () => monotonic, sleep: async () => undefined };
  const proposed: string[] = [];
  const counted: string[] = [];
  let broken = false;
  let looks = 0;
  const actions: AlertActions = {
    async status() {
      looks++;
      return assembleStatus(facts());
    },
    async propose(reason) {
      if (broken) throw new Error('no plan');
      proposed.push(reason);
      return { sentence: 'a failover is proposed', command: 'argus failover', blockers: [] };
    },
    automatic: () => word,
  };
  const count = (result: string, alerts: number) => void counted.push(`${result} ${alerts}`);
  const desk = alertDesk({ settings, actions, state, clock, log: quietLog(), count });
  return {
    state,
    proposed,
    counted,
    looks: () => looks,
    breakPlans: (now: boolean) => {
      broken = now;
    },
    pass: (ms: number) => {
      monotonic += ms;
    },
    send: (m: AlertMessage) => desk.answer(m, new AbortController().signal),
  };
}

const down = { alertname: 'KafkaDown' };
const primaryDown = { alertname: 'PrimaryDown', severity: 'critical' };

describe('an alert', () => {
  it('that no rule matches is only counted', async () => {
    const { send, looks, counted } = world();
    expect(await send(message({ alertname: 'DiskFull' }))).toMatchObject({ action: 'none', result: 'counted' });
    expect(looks()).toBe(0);
    expect(counted).toEqual(['counted 1']);
  });

  it('that asks for a check is answered with what is seen', async () => {
    const answer = await world().send(message({ alertname: 'Any', team: 'streaming' }));
    expect(answer).toMatchObject({
      action: 'check',
      result: 'checked',
      sentence: 'mumbai is well; nothing blocks a failover',
    });
    expect(answer.status?.roles.primary).toBe('mumbai');
  });

  it('that asks for a proposal prepares a failover once, however often it is repeated', async () => {
    const { send, proposed } = world();
    expect(await send(message(down))).toMatchObject({ result: 'proposed', proposal: { command: 'argus failover' } });
    for (let i = 0; i < 5; i++) expect(await send(message(down))).toMatchObject({ result: 'repeat' });
    expect(proposed).toEqual(['Alertmanager tells of KafkaDown']);
  });

  it('is known still to a daemon that was started again, and to another one', async () => {
    const { send, state } = world();
    await send(message(down));
    const again = world(undefined, state);
    expect(await again.send(message(down))).toMatchObject({ result: 'repeat' });
    expect(again.proposed).toEqual([]);
  });

  it('that ended and fires again is news', async () => {
    const { send, proposed, pass } = world();
    await send(message(down));
    expect(await send(message(down, { status: 'resolved' }))).toMatchObject({ result: 'counted' });
    pass(120_000);
    expect(await send(message(down))).toMatchObject({ result: 'proposed' });
    expect(proposed).toHaveLength(2);
  });

  it('that ended and fires again is news, whichever daemon is told of what', async () => {
    const state = memoryObjectStore('state');
    const [a, b] = [world(undefined, state), world(undefined, state)];
    for (let outage = 0; outage < 3; outage++) {
      // What ends elsewhere was looked for just before the group fired.
      await b.send(message(down, { status: 'resolved', groupKey: 'g2' }));
      expect(await a.send(message(down))).toMatchObject({ result: 'proposed' });
      expect(await b.send(message(down))).toMatchObject({ result: 'repeat' });
      b.pass(2_000);
      expect(await b.send(message(down, { status: 'resolved' }))).toMatchObject({ result: 'counted' });
      a.pass(61_000);
      b.pass(61_000);
    }
  });

  it('that ended while the state was away is told again by Alertmanager until that is kept', async () => {
    const state = memoryObjectStore('state');
    let away = false;
    const get = state.get.bind(state);
    state.get = async (...asked) => {
      if (away) throw new Error('the state is away');
      return get(...asked);
    };
    const { send, pass } = world(undefined, state);
    await send(message(down));
    away = true;
    expect(await send(message(down, { status: 'resolved' }))).toMatchObject({ result: 'failed' });
    away = false;
    expect(await send(message(down, { status: 'resolved' }))).toMatchObject({ result: 'counted' });
    pass(61_000);
    expect(await send(message(down))).toMatchObject({ result: 'proposed' });
  });

  it('of another group within a minute gets the proposal that was made', async () => {
    const { send, proposed, pass } = world();
    await send(message(down));
    expect(await send(message(down, { groupKey: 'g2' }))).toMatchObject({
      result: 'limited',
      proposal: { command: 'argus failover' },
    });
    pass(60_000);
    expect(await send(message(down, { groupKey: 'g2' }))).toMatchObject({ result: 'proposed' });
    expect(proposed).toHaveLength(2);
  });

  it('that could not be answered is answered when it comes again', async () => {
    const { send, breakPlans } = world();
    breakPlans(true);
    expect(await send(message(down))).toMatchObject({ result: 'failed', sentence: 'no plan' });
    breakPlans(false);
    expect(await send(message(down))).toMatchObject({ result: 'proposed' });
  });
});

describe('an alert that asks to act', () => {
  it('does nothing by itself: why automatic mode does nothing is answered, and kept', async () => {
    const reasons = [{ code: 'ModeManual', message: 'mode is manual: a person decides' }];
    const { send, state, proposed } = world({
      kind: 'wait',
      sentence: 'mumbai is dead; mode is manual: a person decides',
      reasons,
    });
    expect(await send(message(primaryDown))).toMatchObject({ result: 'not-begun', automatic: { kind: 'wait' } });
    await send(message(primaryDown));
    expect(proposed).toEqual([]);
    expect(await listAttempts(state, 10)).toEqual([
      expect.objectContaining({
        what: 'failover on an alert',
        code: 'ModeManual',
        message: 'mumbai is dead; mode is manual: a person decides',
      }),
    ]);
  });

  it('without an actionable verdict is told so', async () => {
    const { send } = world({ kind: 'idle', sentence: 'all is well', reasons: [] });
    expect(await send(message(primaryDown))).toMatchObject({ result: 'not-begun', sentence: 'all is well' });
  });

  it('is told of the failover that automatic mode begins', async () => {
    const { send, state } = world({ kind: 'act', sentence: 'mumbai is dead: failing over', reasons: [] });
    expect(await send(message(primaryDown))).toMatchObject({ result: 'begun' });
    expect(await listAttempts(state, 10)).toEqual([]);
  });
});

describe('a flood of alerts', () => {
  it('of ever new groups changes nothing but a counter, and is answered with one effect of each kind a minute', async () => {
    const { send, proposed, counted, state } = world({ kind: 'idle', sentence: 'all is well', reasons: [] });
    const writes: string[] = [];
    const put = state.put.bind(state);
    state.put = (key, ...rest) => {
      writes.push(key);
      return put(key, ...rest);
    };
    for (let i = 0; i < 10_000; i++) {
      const status = i % 3 === 0 ? 'resolved' : 'firing';
      await send(
        message(i % 2 === 0 ? ([down, primaryDown][(i / 2) % 2] as Labels) : { alertname: `Other${i}` }, {
          groupKey: `g${i}`,
          fingerprint: `f${i}`,
          status,
        }),
      );
    }
    expect(counted).toHaveLength(10_000);
    expect(proposed).toHaveLength(1);
    expect(writes.sort()).toEqual(['alerts', 'alerts', expect.stringMatching(/^attempts\//)]);
  });
});

describe('many groups that end at the same time', () => {
  it('cost one look at the state', async () => {
    const { send, state } = world();
    let reads = 0;
    const get = state.get.bind(state);
    state.get = (...asked) => {
      reads++;
      return get(...asked);
    };
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => send(message(down, { status: 'resolved', groupKey: `g${i}` }))),
    );
    expect(reads).toBe(1);
  });
});

describe('what is sent', () => {
  it.each([
    ['another version', { version: '3' }],
    ['no alerts', { alerts: undefined }],
    ['a label that is no text', { alerts: [{ status: 'firing', labels: { a: 1 }, fingerprint: 'f' }] }],
    ['a group without a key', { groupKey: '' }],
  ])('is refused: %s', (_, change) => {
    expect(webhookSchema.safeParse({ ...message(down), ...change }).success).toBe(false);
  });
});
