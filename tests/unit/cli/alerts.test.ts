import { expect, test } from 'vitest';
import type { Composition } from '../../../cli/compose.ts';
import type { CommandContext } from '../../../cli/context.ts';
import { alertDeskOf } from '../../../cli/daemon/alerts.ts';
import { wallClock as clock } from '../../../daemon/wall-clock.ts';
import { newBoard } from '../../../daemon/web/board.ts';
import type { Collector } from '../../../daemon/web/collect.ts';
import { webhookSchema } from '../../../daemon/webhook/alertmanager.ts';
import { alertsSection } from '../../../domain/alerts-config.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { listAttempts } from '../../../state/attempts.ts';
import { quietLog } from '../daemon/quiet-log.ts';

test('an alert that asks to act is answered, and kept, with why automatic mode waits', async () => {
  const state = memoryObjectStore('state');
  const board = newBoard(() => 0);
  const reasons = [{ code: 'HoldDown', message: 'not for long enough' }];
  const sentence = 'mumbai is dead; not for long enough';
  board.put({ standing: { decision: { mode: 'automatic', kind: 'wait', sentence, reasons, atMs: 1 } } });
  const alerts = alertsSection.parse({ rules: [{ match: { alertname: 'PrimaryDown' }, do: 'act' }] });
  const desk = alertDeskOf({
    context: { clock, who: 'test', env: {} } as unknown as CommandContext,
    composition: { config: { alerts }, state } as unknown as Composition,
    log: quietLog(),
    metrics: { alertReceived: () => undefined },
    board,
    looks: { statusOf: async () => ({}) } as unknown as Collector,
    events: () => undefined,
  });
  const labels = { alertname: 'PrimaryDown' };
  const times = { startsAt: '2026-11-21T00:00:00Z', endsAt: '' };
  const common = { groupLabels: {}, commonLabels: labels, commonAnnotations: {}, externalURL: 'http://alertmanager' };
  const message = webhookSchema.parse({
    ...common,
    version: '4',
    groupKey: 'g1',
    status: 'firing',
    receiver: 'argus',
    truncatedAlerts: 0,
    alerts: [{ ...times, status: 'firing', labels, annotations: {}, generatorURL: '', fingerprint: 'f1' }],
  });
  const answer = await desk.answer(message, new AbortController().signal);
  expect(answer).toMatchObject({ result: 'not-begun', sentence, automatic: { kind: 'wait', reasons } });
  const [attempt] = await listAttempts(state, 1);
  expect(attempt).toMatchObject({ code: 'HoldDown', message: sentence });
});
