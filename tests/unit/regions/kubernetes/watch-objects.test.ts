import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import type { KubernetesObject, WatchEvent } from '../../../../regions/kubernetes/kubernetes-api.ts';
import { watchLine, watchLines } from '../../../../regions/kubernetes/watch-lines.ts';
import { type WatchLine, type WatchSource, watchObjects } from '../../../../regions/kubernetes/watch-objects.ts';

const object = (name: string, resourceVersion: string, uid = name): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, uid, resourceVersion },
});
const unreachable = new ArgusError('KubernetesUnreachable', 'no answer', { retryable: true });
const expired = new ArgusError('KubernetesExpired', 'too old', { retryable: true });
const forbidden = new ArgusError('KubernetesForbidden', 'not allowed');

type List = { readonly at: string; readonly items: readonly KubernetesObject[] } | ArgusError;
type Follow = readonly (WatchLine | ArgusError)[] | ArgusError;

/** A server that answers as told, one answer after the other, and ends the watch with the last one. */
function source(lists: readonly List[], follows: readonly Follow[], end: AbortController) {
  const positions: string[] = [];
  let listed = 0;
  let followed = 0;
  const server: WatchSource = {
    async list() {
      const next = lists[listed++];
      if (next === undefined) throw new Error('a list too many');
      if (next instanceof ArgusError) throw next;
      return { items: next.items, resourceVersion: next.at };
    },
    async follow(position) {
      positions.push(position);
      const next = follows[followed++];
      if (next === undefined) {
        end.abort();
        throw new Error('over');
      }
      if (next instanceof ArgusError) throw next;
      return (async function* () {
        for (const line of next) {
          if (line instanceof ArgusError) throw line;
          yield line;
        }
      })();
    },
  };
  return { server, positions };
}

async function seen(lists: readonly List[], follows: readonly Follow[]) {
  const end = new AbortController();
  const { server, positions } = source(lists, follows, end);
  const events: string[] = [];
  const failures: number[] = [];
  const pauseMs = (count: number) => {
    failures.push(count);
    return 0;
  };
  for await (const event of watchObjects(server, { signal: end.signal, pauseMs })) events.push(describe(event));
  return { events, positions, failures };
}

function describe(event: WatchEvent): string {
  switch (event.type) {
    case 'synced':
      return 'synced';
    case 'lost':
      return `lost ${event.error.code}`;
    default:
      return `${event.type} ${event.object.metadata.name}@${event.object.metadata.resourceVersion}`;
  }
}

test('tells what is there, then every change', async () => {
  const { events, positions } = await seen(
    [{ at: '10', items: [object('a', '5')] }],
    [
      [
        { type: 'ADDED', object: object('b', '11') },
        { type: 'MODIFIED', object: object('a', '12') },
        { type: 'BOOKMARK', resourceVersion: '20' },
        { type: 'DELETED', object: object('b', '21') },
      ],
    ],
  );
  expect(events).toEqual(['added a@5', 'synced', 'added b@11', 'modified a@12', 'deleted b@21']);
  expect(positions).toEqual(['10', '21']);
});

test.each([
  ['as a line', [[{ type: 'ERROR', error: expired }]] as Follow[]],
  ['as an answer', [expired] as Follow[]],
])(
  'a position that has expired (%s) leads to a list, of which only the differences are told',
  async (_how, follows) => {
    const { events } = await seen(
      [
        { at: '10', items: [object('a', '5'), object('b', '6'), object('c', '7')] },
        { at: '90', items: [object('a', '5'), object('b', '60'), object('d', '70')] },
      ],
      follows,
    );
    expect(events.slice(4)).toEqual(['deleted c@7', 'modified b@60', 'added d@70', 'synced']);
  },
);

test('an object that was made anew under its name is told as gone and come', async () => {
  const { events } = await seen(
    [
      { at: '10', items: [object('a', '5', 'first')] },
      { at: '90', items: [object('a', '80', 'second')] },
    ],
    [expired],
  );
  expect(events).toEqual(['added a@5', 'synced', 'deleted a@5', 'added a@80', 'synced']);
});

test('a server that can not be asked is told once, and that it can again', async () => {
  const { events, failures } = await seen(
    [{ at: '10', items: [] }, unreachable, unreachable, { at: '30', items: [object('a', '20')] }],
    [[{ type: 'BOOKMARK', resourceVersion: '12' }, unreachable]],
  );
  expect(events).toEqual(['synced', 'lost KubernetesUnreachable', 'added a@20', 'synced']);
  expect(failures).toEqual([1, 2, 3]);
});

test('a server that ends each watch at once is not asked in a circle', async () => {
  const { failures, positions } = await seen([{ at: '10', items: [] }], [[], [], []]);
  expect(failures).toEqual([1, 2, 3]);
  expect(positions).toEqual(['10', '10', '10', '10']);
});

test('what trying again does not mend is thrown', async () => {
  await expect(seen([forbidden], [])).rejects.toBe(forbidden);
  await expect(seen([{ at: '1', items: [] }], [[{ type: 'ERROR', error: forbidden }]])).rejects.toBe(forbidden);
});

test('who takes no more ends the connection', async () => {
  let ended = false;
  const server: WatchSource = {
    list: async () => ({ items: [object('a', '5')], resourceVersion: '10' }),
    async follow(_position, signal) {
      signal.addEventListener('abort', () => {
        ended = true;
      });
      return (async function* () {
        yield { type: 'ADDED' as const, object: object('b', '11') };
      })();
    },
  };
  for await (const event of watchObjects(server, { signal: new AbortController().signal })) {
    if (event.type === 'added' && event.object.metadata.name === 'b') break;
  }
  expect(ended).toBe(true);
});

const where = { region: 'mumbai', server: 'https://10.0.0.1:6443', verb: 'watch' };

test('lines are whole, wherever the chunks end, also within a letter', async () => {
  const text = ['é', 'b'].map((name) => JSON.stringify({ type: 'ADDED', object: object(name, '1') })).join('\n');
  const bytes = new TextEncoder().encode(`${text}\n{"type":"ADD`);
  for (const size of [1, 7, 64, bytes.length]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size),
    );
    const names: string[] = [];
    for await (const line of watchLines(ReadableStream.from(chunks) as ReadableStream<Uint8Array>, where)) {
      if (line.type === 'ADDED') names.push(line.object.metadata.name);
    }
    expect(names).toEqual(['é', 'b']);
  }
});

test('an error line is the error of its status, and an unknown type nothing', () => {
  const gone = { kind: 'Status', status: 'Failure', reason: 'Expired', message: 'too old resource version', code: 410 };
  expect(watchLine(JSON.stringify({ type: 'ERROR', object: gone }), where)).toMatchObject({
    type: 'ERROR',
    error: { code: 'KubernetesExpired' },
  });
  expect(watchLine(JSON.stringify({ type: 'NEW', object: {} }), where)).toBeUndefined();
});
