import { expect, test } from 'vitest';
import { newBoard } from '../../../../daemon/web/board.ts';
import { collector } from '../../../../daemon/web/collect.ts';
import type { StatusView } from '../../../../health/status-view.ts';
import { newWorld } from '../../runbooks/failover/world.ts';

/** A collector whose looks end when the test says so. */
function world() {
  const { context, clock } = newWorld();
  const { config, names, state } = context;
  const looks: ((status: StatusView) => void)[] = [];
  const looking = collector({
    board: newBoard(() => clock.monotonic()),
    sources: { config, regions: [], names, state, clock },
    look: () => new Promise((resolve) => void looks.push(resolve)),
  });
  const statusOf = (n: number) => ({ atMs: n }) as unknown as StatusView;
  return { looking, looks, statusOf };
}
const never = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a status that has to be fresh is none that was begun before it was asked for', async () => {
  const { looking, looks, statusOf } = world();
  const old = looking.statusOf(0, never);
  const fresh = [looking.fresh(never), looking.fresh(never)];
  await turn();
  expect(looks).toHaveLength(1);
  looks[0]?.(statusOf(1));
  expect(await old).toMatchObject({ atMs: 1 });
  await turn();
  // Whoever asks at the same time shares it.
  expect(looks).toHaveLength(2);
  looks[1]?.(statusOf(2));
  expect(await Promise.all(fresh)).toEqual([statusOf(2), statusOf(2)]);
});

test('who asks for a fresh one is let go by his signal, also before a look began', async () => {
  const { looking, looks, statusOf } = world();
  const old = looking.statusOf(0, never);
  const stop = new AbortController();
  const fresh = looking.fresh(stop.signal);
  fresh.catch(() => undefined);
  stop.abort(new Error('gone'));
  await expect(fresh).rejects.toThrow('gone');
  looks[0]?.(statusOf(1));
  expect(await old).toMatchObject({ atMs: 1 });
});
