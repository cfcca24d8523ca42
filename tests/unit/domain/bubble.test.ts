import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BubbleKind, bubbleOf, isInBubble, isOfSomeDrill, requireInBubble } from '../../../domain/bubble.ts';

const run = '20261122T033000Z-drill-ab12';
const other = '20261122T033000Z-drill-ab13';

const names = (of: string) => {
  const bubble = bubbleOf(of);
  return [
    ['topic', bubble.topic('metrics')],
    ['group', bubble.group('counts')],
    ['transactionalId', bubble.transactionalIdPrefix('counts')],
    ['object', bubble.checkpoints('counts')],
    ['object', bubble.restore('counts')],
    ['flinkJob', bubble.flinkJobId(3)],
    ['kubernetes', bubble.kubernetes(0)],
  ] as const satisfies readonly (readonly [BubbleKind, string])[];
};

describe('the names of a drill', () => {
  test.each(names(run))('are its own: %s %s', (kind, name) => {
    expect(isInBubble(bubbleOf(run), kind, name)).toBe(true);
    expect(isOfSomeDrill(kind, name)).toBe(true);
    expect(() => requireInBubble(bubbleOf(run), kind, name)).not.toThrow();
  });

  test.each(names(other))('are no other drill’s: %s %s', (kind, name) => {
    expect(() => requireInBubble(bubbleOf(run), kind, name)).toThrow(
      expect.objectContaining({ code: 'OutsideBubble' }),
    );
    expect(isOfSomeDrill(kind, name)).toBe(true);
  });

  test.each([
    ['topic', 'metrics'],
    ['topic', 'argus.drill.'],
    ['topic', 'argus.heartbeat'],
    ['topic', `argus.drill.20261122t033000z-ab12`],
    ['group', 'counts'],
    ['group', 'argus-mirror'],
    ['object', 'argus/replica/counts/points/x'],
    ['object', 'argus/drills/20261122t033000z-ab12/../../replica/x'],
    ['flinkJob', '0123456789abcdef0123456789abcdef'],
    ['kubernetes', 'argus-flink'],
  ] as const)('none of production’s is taken for one: %s %s', (kind, name) => {
    expect(isInBubble(bubbleOf(run), kind, name)).toBe(false);
    expect(() => requireInBubble(bubbleOf(run), kind, name)).toThrow(expect.objectContaining({ exitCode: 3 }));
  });

  test('a Flink id has 32 hex digits, another for each job', () => {
    const ids = [0, 1, 0xffff].map((n) => bubbleOf(run).flinkJobId(n));
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('whatever topics, groups and jobs are called, no two of them meet, and none leaves the bubble', () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9._-]{1,40}$/);
    fc.assert(
      fc.property(word, word, (a, b) => {
        const bubble = bubbleOf(run);
        expect(isInBubble(bubble, 'topic', bubble.topic(a))).toBe(true);
        expect(bubble.topic(a) === bubble.topic(b)).toBe(a === b);
        expect(bubble.checkpoints(a) === bubble.checkpoints(b)).toBe(a === b);
      }),
    );
  });

  test('a topic whose name would be too long is refused before anything is made', () => {
    expect(() => bubbleOf(run).topic('t'.repeat(249))).toThrow(expect.objectContaining({ code: 'TopicNameTooLong' }));
  });

  test('a run that is no drill has none', () => {
    expect(() => bubbleOf('20261122T033000Z-failover-ab12')).toThrow(RangeError);
  });
});
