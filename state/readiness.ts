import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

const finding = z.object({ code: z.string(), sentence: z.string() });
const status = z.enum(['green', 'yellow', 'red']);

const readinessSchema = z.object({
  atMs: instantMs,
  primary: z.string(),
  standby: z.string(),
  /** `red`: a failover would be refused or fail. `yellow`: it would work, and miss an objective or nearly so. */
  status,
  sentence: z.string(),
  /** Absent: no failover was measured yet. */
  rto: z.object({ ms: z.number().min(0), runs: z.int().min(1) }).exactOptional(),
  /** Absent: it can't be told. */
  rpoMs: z.number().min(0).exactOptional(),
  blockers: z.array(finding),
  warnings: z.array(finding),
});

/** What a failover begun at that instant would have come to. */
export type Readiness = z.output<typeof readinessSchema>;

const momentSchema = z.object({
  /** The begin of the minute or hour. */
  atMs: instantMs,
  /** Of an hour: the worst in it. */
  status,
  /** Of an hour: the longest in it. */
  rtoMs: z.number().min(0).exactOptional(),
  rpoMs: z.number().min(0).exactOptional(),
  /** Codes; of an hour: all that there were. */
  blockers: z.array(z.string()),
});

/** Readiness in one minute or hour. */
export type ReadinessMoment = z.output<typeof momentSchema>;

const daySchema = z.object({
  /** `2026-11-21`, UTC. */
  day: z.string(),
  /** By the minute while it is young, later by the hour. */
  by: z.enum(['minute', 'hour']),
  moments: z.array(momentSchema),
});

export type ReadinessDay = z.output<typeof daySchema>;

const latestKey = 'readiness/latest';
const dayRoot = 'readiness/days/';

/** The newest readiness; undefined when none was ever worked out. */
export async function readReadiness(store: ObjectStore, options: CallOptions = {}): Promise<Readiness | undefined> {
  return (await readDocument(store, latestKey, readinessSchema, options))?.value;
}

/** Replaces the newest; only the daemon that leads does this. Idempotent. */
export async function putReadiness(store: ObjectStore, readiness: Readiness, options: CallOptions = {}): Promise<void> {
  await store.put(latestKey, encodeDocument(readiness), options);
}

/** One day of the history; undefined when there is none. */
export async function readReadinessDay(
  store: ObjectStore,
  day: string,
  options: CallOptions = {},
): Promise<ReadinessDay | undefined> {
  return (await readDocument(store, dayRoot + day, daySchema, options))?.value;
}

/** Replaces one day of the history. Idempotent. */
export async function putReadinessDay(store: ObjectStore, day: ReadinessDay, options: CallOptions = {}): Promise<void> {
  await store.put(dayRoot + day.day, encodeDocument(day), options);
}

/** Names of the days that the history has, the oldest first. */
export async function listReadinessDays(store: ObjectStore, options: CallOptions = {}): Promise<readonly string[]> {
  const { objects } = await store.list(dayRoot, options);
  return objects.map((o) => o.key.slice(dayRoot.length));
}

/** Forgets a day. Idempotent. */
export async function dropReadinessDay(store: ObjectStore, day: string, options: CallOptions = {}): Promise<void> {
  await store.delete(dayRoot + day, options);
}
