import { z } from 'zod';
import type { ObserverReport } from '../domain/observation.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

const schema = z.object({
  observer: z.string().min(1),
  place: z.string().min(1),
  atMs: instantMs,
  sequence: z.int().min(0),
  seen: z.array(
    z.object({
      observer: z.string(),
      probe: z.enum([
        'kafka',
        'kafka-write',
        'objects',
        'flink',
        'job',
        'kubernetes',
        'dns',
        'ingress',
        'mirror',
        'checkpoints',
        'heartbeat',
        'clock',
        'expiry',
        'state',
      ]),
      region: z.string().exactOptional(),
      subject: z.string().exactOptional(),
      atMs: instantMs,
      status: z.enum(['ok', 'failed', 'unknown']),
      latencyMs: z.number().min(0),
      reason: z.string().exactOptional(),
      code: z.string().exactOptional(),
      sinceMs: instantMs,
      lastOkAtMs: instantMs.exactOptional(),
    }),
  ),
}) satisfies z.ZodType<ObserverReport>;

const observerKey = (name: string) => `observers/${name}`;

/** Replaces what an observer saw lately; only that observer does this. Idempotent. */
export async function putObserverReport(
  store: ObjectStore,
  report: ObserverReport,
  options: CallOptions = {},
): Promise<void> {
  await store.put(observerKey(report.observer), encodeDocument(report), options);
}

/** What one observer last put; undefined when it never did. */
export async function readObserverReport(
  store: ObjectStore,
  name: string,
  options: CallOptions = {},
): Promise<ObserverReport | undefined> {
  return (await readDocument(store, observerKey(name), schema, options))?.value;
}

/** The reports of these observers, by name, asked at once; one that never reported is absent. */
export async function readObserverReports(
  store: ObjectStore,
  names: readonly string[],
  options: CallOptions = {},
): Promise<ReadonlyMap<string, ObserverReport>> {
  const reports = await Promise.all(names.map((name) => readObserverReport(store, name, options)));
  return new Map(reports.flatMap((report) => (report ? [[report.observer, report] as const] : [])));
}
