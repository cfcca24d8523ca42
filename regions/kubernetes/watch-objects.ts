import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import type { KubernetesObject, WatchEvent } from './kubernetes-api.ts';
import { hasCode } from './kubernetes-errors.ts';

/** What a watch needs of the server. */
export interface WatchSource {
  list(signal: AbortSignal): Promise<{ readonly items: readonly KubernetesObject[]; readonly resourceVersion: string }>;
  /** The lines of a watch from there on, until the server or the signal ends it. */
  follow(resourceVersion: string, signal: AbortSignal): Promise<AsyncIterable<WatchLine>>;
}

export type WatchLine =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubernetesObject }
  /** Nothing changed up to there. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  | { readonly type: 'ERROR'; readonly error: ArgusError };

const firstPauseMs = 250;
const longestPauseMs = 5_000;

/**
 * Lists and follows. A position that has expired (410), a connection that ends and a server that can't be asked begin
 * with a new list, of which only the differences are told. Errors that trying again does not mend are thrown.
 */
export async function* watchObjects(
  source: WatchSource,
  options: { readonly signal: AbortSignal; readonly pauseMs?: (failures: number) => number },
): AsyncGenerator<WatchEvent, void, undefined> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const pauseMs = options.pauseMs ?? ((failures) => Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs));
  const seen = new Map<string, KubernetesObject>();
  let position: string | undefined;
  let failures = 0;
  let lost = false;
  try {
    while (!signal.aborted) {
      try {
        if (position === undefined) {
          const { items, resourceVersion } = await source.list(signal);
          yield* differences(seen, items);
          position = resourceVersion;
          lost = false;
          yield { type: 'synced' };
        }
        const startedAt = performance.now();
        for await (const line of await source.follow(position, signal)) {
          if (line.type === 'ERROR') throw line.error;
          failures = 0;
          if (line.type === 'BOOKMARK') {
            position = line.resourceVersion;
            continue;
          }
          position = line.object.metadata.resourceVersion ?? position;
          yield noted(seen, line);
        }
        // A server that ends each watch at once must not be asked in a circle.
        if (performance.now() - startedAt < firstPauseMs) await rest(pauseMs(++failures), signal);
        else failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        position = undefined;
        if (!(error instanceof ArgusError) || !error.retryable) throw error;
        if (!lost && !hasCode(error, 'KubernetesExpired')) {
          lost = true;
          yield { type: 'lost', error };
        }
        await rest(pauseMs(++failures), signal);
      }
    }
  } finally {
    // Whoever takes no more ends the connection.
    stop.abort();
  }
}

/** What a list tells beyond what was seen before; `seen` is brought up to it. */
function* differences(
  seen: Map<string, KubernetesObject>,
  items: readonly KubernetesObject[],
): Generator<WatchEvent, void, undefined> {
  const there = new Set(items.map(keyOf));
  for (const [key, object] of seen) {
    if (there.has(key)) continue;
    seen.delete(key);
    yield { type: 'deleted', object };
  }
  for (const object of items) {
    const before = seen.get(keyOf(object));
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion && before !== undefined) continue;
    seen.set(keyOf(object), object);
    yield { type: before === undefined ? 'added' : 'modified', object };
  }
}

function noted(
  seen: Map<string, KubernetesObject>,
  line: Extract<WatchLine, { readonly object: KubernetesObject }>,
): WatchEvent {
  const { object } = line;
  switch (line.type) {
    case 'DELETED':
      seen.delete(keyOf(object));
      return { type: 'deleted', object };
    case 'ADDED':
    case 'MODIFIED':
      seen.set(keyOf(object), object);
      return { type: line.type === 'ADDED' ? 'added' : 'modified', object };
  }
}

/** An object that was made anew under its old name is another one. */
function keyOf({ metadata }: KubernetesObject): string {
  return metadata.uid ?? `${metadata.namespace ?? ''}/${metadata.name}`;
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
