import { expect, test } from 'vitest';
import { type DaemonEvent, eventHub } from '../../../daemon/events.ts';

const event = (sentence: string): DaemonEvent => ({
  kind: 'decision-changed',
  decision: 'wait',
  sentence,
  reasons: [],
  atMs: 1,
});

test('a listener that throws keeps neither the teller nor the others from going on', () => {
  const heard: string[] = [];
  const errors: unknown[] = [];
  const hub = eventHub((e) => errors.push(e));
  hub.subscribe(() => {
    throw new Error('no');
  });
  const leave = hub.subscribe(({ id, event: { kind } }) => heard.push(`${id} ${kind}`));
  hub.emit(event('a'));
  leave();
  hub.emit(event('b'));
  expect(heard).toEqual(['1 decision-changed']);
  expect(errors).toHaveLength(2);
  expect(hub.after(1).map((e) => e.id)).toEqual([2]);
});

test('keeps a bounded number of events', () => {
  const hub = eventHub();
  for (let i = 0; i < 2_000; i++) hub.emit(event(`${i}`));
  expect(hub.after(0)).toHaveLength(500);
  expect(hub.after(0)[0]?.id).toBe(1_501);
});
