import { describe, expect, it } from 'vitest';
import type { LabEvent } from '../../../../lab/ingest/event.ts';
import { EventWriter, type TopicSession } from '../../../../lab/ingest/event-writer.ts';
import type { PartitionAnswer } from '../../../../lab/ingest/kafka-messages.ts';
import { partitionOf } from '../../../../lab/ingest/partition.ts';
import { statusOfError } from '../../../../lab/ingest/produce-outcome.ts';

type Answer = readonly PartitionAnswer[] | Error;

/** A session whose answers come one by one from the test, and which keeps what it was given. */
function scripted(partitions = 1) {
  const produced: { partition: number; values: string[] }[][] = [];
  const waiting: ((answer: Answer) => void)[] = [];
  const session: TopicSession = {
    partitions,
    closed: false,
    close() {},
    produce(batches) {
      produced.push([...batches].map(([partition, batch]) => ({ partition, values: idsIn(batch) })));
      return new Promise((resolve, reject) => {
        waiting.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      });
    },
  };
  const answer = async (value: Answer) => {
    await turn();
    waiting.shift()!(value);
    await turn();
  };
  return { session, produced, answer };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const idsIn = (batch: Buffer) => [...batch.toString('latin1').matchAll(/"id":"([^"]+)"/g)].map((m) => m[1]!);
const event = (id: string, key = 'k'): LabEvent => ({ id, key, seq: 1 });
const fine = (baseOffset: number): Answer => [{ partition: 0, error: 0, baseOffset }];
const unsent = Object.assign(new Error('no connection'), { sent: false });

describe('the writer of the ingest service', () => {
  it('has one Produce in flight, and sends what arrived meanwhile in the order of arrival', async () => {
    const { session, produced, answer } = scripted();
    const writer = new EventWriter({ session: () => session, now: () => 0 });
    const first = writer.append([event('a'), event('b')]);
    await turn();
    const rest = [writer.append([event('c')]), writer.append([event('d'), event('e')])];
    await turn();
    expect(produced.map((p) => p[0]!.values)).toEqual([['a', 'b']]);
    await answer(fine(10));
    await answer(fine(12));
    expect(produced.map((p) => p[0]!.values)).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    expect((await first).map((r) => r.offset)).toEqual([10, 11]);
    expect((await Promise.all(rest)).flat().map((r) => [r.id, r.offset])).toEqual([
      ['c', 12],
      ['d', 13],
      ['e', 14],
    ]);
  });

  it.each([
    ['unknown when the request may have reached the broker', new Error('reset'), 'unknown'],
    ['refused when it surely did not', unsent, 'refused'],
    ['refused when the broker says that it appended nothing', [{ partition: 0, error: 6, baseOffset: -1 }], 'refused'],
    ['unknown when the broker timed out after the append', [{ partition: 0, error: 7, baseOffset: -1 }], 'unknown'],
    ['unknown when the broker left the partition out of its answer', [], 'unknown'],
  ])('tells an event as %s, and never sends it again', async (_rule, result, status) => {
    const { session, produced, answer } = scripted();
    const writer = new EventWriter({ session: () => session, now: () => 0 });
    const appended = writer.append([event('a')]);
    await answer(result);
    expect(await appended).toEqual([{ id: 'a', status }]);
    await writer.idle();
    expect(produced).toHaveLength(1);
  });

  it('refuses at once while there is no session, and goes on with the next one', async () => {
    const { session, answer } = scripted();
    let current: TopicSession | undefined;
    const writer = new EventWriter({ session: () => current, now: () => 0 });
    expect(await writer.append([event('a')])).toEqual([{ id: 'a', status: 'refused' }]);
    current = session;
    const appended = writer.append([event('b')]);
    await answer(fine(3));
    expect(await appended).toEqual([{ id: 'b', status: 'acknowledged', partition: 0, offset: 3 }]);
  });

  it('refuses what waited past its deadline instead of sending it after a later event', async () => {
    const { session, produced, answer } = scripted();
    let now = 0;
    const writer = new EventWriter({ session: () => session, now: () => now });
    const first = writer.append([event('a')], 3_000);
    await turn();
    const late = writer.append([event('b')], 3_000);
    now = 3_500;
    const later = writer.append([event('c')], 6_500);
    await answer(fine(0));
    await answer(fine(1));
    expect((await Promise.all([first, late, later])).flat().map((r) => r.status)).toEqual([
      'acknowledged',
      'refused',
      'acknowledged',
    ]);
    expect(produced.map((p) => p[0]!.values)).toEqual([['a'], ['c']]);
  });

  it('works again after everything that waited was past its deadline', async () => {
    const { session, answer } = scripted();
    const writer = new EventWriter({ session: () => session, now: () => 10 });
    expect((await writer.append([event('a')], 5))[0]!.status).toBe('refused');
    const appended = writer.append([event('b')]);
    await answer(fine(0));
    expect((await appended)[0]!.status).toBe('acknowledged');
  });

  it('refuses more than it may keep waiting', async () => {
    const { session, answer } = scripted();
    const writer = new EventWriter({ session: () => session, now: () => 0, maxWaiting: 2 });
    const kept = writer.append([event('a'), event('b')]);
    expect((await writer.append([event('c')]))[0]!.status).toBe('refused');
    await answer(fine(0));
    expect((await kept).map((r) => r.status)).toEqual(['acknowledged', 'acknowledged']);
  });

  it('gives each partition its own outcome', async () => {
    const { session, answer } = scripted(4);
    const keys = ['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7'];
    const bad = partitionOf('k0', 4);
    const writer = new EventWriter({ session: () => session, now: () => 0 });
    const appended = writer.append(keys.map((key) => event(key, key)));
    await answer([0, 1, 2, 3].map((partition) => ({ partition, error: partition === bad ? 3 : 0, baseOffset: 100 })));
    for (const [i, result] of (await appended).entries()) {
      expect(result.status).toBe(partitionOf(keys[i]!, 4) === bad ? 'refused' : 'acknowledged');
    }
  });
});

describe('an error code of Produce', () => {
  it.each([
    [0, 'acknowledged'],
    [19, 'refused'],
    [20, 'unknown'],
    [-1, 'unknown'],
    [999, 'unknown'],
  ])('%i means %s', (code, status) => {
    expect(statusOfError(code)).toBe(status);
  });
});
