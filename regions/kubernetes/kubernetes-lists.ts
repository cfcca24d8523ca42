import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';
import type { CallOptions, KubernetesObject, ObjectKind, Selection } from './kubernetes-api.ts';
import type { KubernetesCalls } from './kubernetes-calls.ts';
import { hasCode, noAnswerError } from './kubernetes-errors.ts';
import type { Call } from './kubernetes-requests.ts';
import { watchLines } from './watch-lines.ts';
import type { WatchSource } from './watch-objects.ts';

const objectShape = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: z.looseObject({ name: z.string() }),
});
const listShape = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(objectShape),
});

/** An answer as an object; the items of a list have neither apiVersion nor kind of their own. */
export function toObject(answer: unknown, { apiVersion, kind }: ObjectKind): KubernetesObject {
  return { apiVersion, kind, ...objectShape.parse(answer) } as KubernetesObject;
}

/** All objects of a selection, and the position behind them. */
export async function listAll(
  calls: KubernetesCalls,
  kind: ObjectKind,
  selection: Selection,
  options: CallOptions | undefined,
): Promise<{ readonly items: readonly KubernetesObject[]; readonly resourceVersion: string }> {
  const place = await calls.placeOf(kind, selection.namespace, options);
  const selectors = { labelSelector: selection.labels, fieldSelector: selection.fields };
  let items: KubernetesObject[] = [];
  let token: string | undefined;
  for (let restarted = false; ; ) {
    const query = { ...selectors, limit: calls.pageSize, continue: token };
    try {
      const answer = await calls.json(kind, { ...place, verb: 'list', method: 'GET', query }, ['list'], options);
      const page = listShape.parse(answer);
      items.push(...page.items.map((item) => toObject(item, kind)));
      token = page.metadata.continue;
      if (!token) return { items, resourceVersion: page.metadata.resourceVersion };
    } catch (error) {
      if (!hasCode(error, 'KubernetesExpired') || restarted) throw error;
      // The pages that were read belong to a state that is no longer kept: from the beginning, once.
      restarted = true;
      items = [];
      token = undefined;
    }
  }
}

/** What a watch of a selection reads; a connection that is silent for longer than `periodMs` and a deadline is dead. */
export function watchSource(
  calls: KubernetesCalls,
  kind: ObjectKind,
  selection: Selection,
  periodMs: number,
): WatchSource {
  const { region, server } = calls.transport;
  const silenceMs = periodMs + calls.timeoutMs;
  return {
    list: (signal) => listAll(calls, kind, selection, { signal }),

    async follow(resourceVersion, signal) {
      const place = await calls.placeOf(kind, selection.namespace, { signal });
      const query = {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion,
        labelSelector: selection.labels,
        fieldSelector: selection.fields,
        // The server ends it then.
        timeoutSeconds: Math.max(1, Math.round(periodMs / 1000)),
      };
      const call: Call = { ...place, verb: 'watch', method: 'GET', query };
      const where = { ...call, region, server };
      const silence = AbortSignal.timeout(silenceMs);
      const by = AbortSignal.any([signal, silence]);
      const lost = (cause: unknown) => noAnswerError({ ...where, timeoutMs: silenceMs, cause });
      try {
        return survivable(watchLines(await calls.requests.stream(call, by), where), signal, lost);
      } catch (error) {
        if (silence.aborted && !signal.aborted) throw lost(error);
        throw await calls.refined(kind, call, ['watch'], { signal }, error);
      }
    },
  };
}

/** The lines; where they end by an error, it is one of the connection. */
async function* survivable<T>(
  lines: AsyncIterable<T>,
  signal: AbortSignal,
  lost: (cause: unknown) => ArgusError,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* lines;
  } catch (error) {
    if (signal.aborted || error instanceof ArgusError) throw error;
    throw lost(error);
  }
}
