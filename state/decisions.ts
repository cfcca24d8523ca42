import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, keyNumber, readDocument, writeOnce } from './document.ts';
import { instantMs } from './schemas.ts';

const reason = z.object({ code: z.string(), message: z.string() });

const decisionSchema = z.object({
  atMs: instantMs,
  /** The daemon that decided. */
  by: z.string(),
  kind: z.enum(['act', 'advise', 'wait', 'idle']),
  /** The verdict that it was about; absent: none allowed anything. */
  verdict: z.string().exactOptional(),
  sentence: z.string(),
  /** Why nothing was done. */
  reasons: z.array(reason),
  rolesEpoch: z.int().min(1).exactOptional(),
});

/** What automatic mode would do, or why it does nothing, from one instant on. */
export type KeptDecision = z.output<typeof decisionSchema>;

const decisionsPrefix = 'decisions/';
const kept = 500;

/** Keeps a decision that differs from the one before. */
export async function recordDecision(
  store: ObjectStore,
  decision: KeptDecision,
  random: string,
  options: CallOptions = {},
): Promise<void> {
  await writeOnce(store, `${decisionsPrefix}${keyNumber(Math.trunc(decision.atMs), 15)}-${random}`, decision, options);
}

/** Drops the oldest decisions when there are some hundreds. */
export async function dropOldDecisions(store: ObjectStore, options: CallOptions = {}): Promise<void> {
  const { objects } = await store.list(decisionsPrefix, options);
  const old = objects.slice(0, Math.max(0, objects.length - kept)).map((o) => o.key);
  for (const key of old) await store.delete(key, options);
}

/** The newest decisions, the newest first. */
export async function listDecisions(
  store: ObjectStore,
  limit: number,
  options: CallOptions = {},
): Promise<readonly KeptDecision[]> {
  const { objects } = await store.list(decisionsPrefix, options);
  const newest = objects.slice(-limit).reverse();
  const read = await Promise.all(newest.map(({ key }) => readDocument(store, key, decisionSchema, options)));
  return read.flatMap((found) => (found === undefined ? [] : [found.value]));
}

const ackSchema = z.object({
  /** For people: nothing is decided by it, since it is another machine's clock. */
  atMs: instantMs,
  by: z.string(),
  reason: z.string().exactOptional(),
  /** The newest run that changes roles, as it was then; absent: there was none. */
  run: z.string().exactOptional(),
  /** The roles in force then; absent: there were none. */
  rolesEpoch: z.int().min(1).exactOptional(),
});
const ackKey = 'automatic-ack';

/** A person's word that automatic mode may act again, after that run and that change of roles. */
export type AutomaticAck = z.output<typeof ackSchema>;

/** Replaces the last acknowledgement. */
export async function putAutomaticAck(store: ObjectStore, ack: AutomaticAck, options: CallOptions = {}): Promise<void> {
  await store.put(ackKey, encodeDocument(ack), options);
}

/** The last acknowledgement; undefined when there never was one. */
export async function readAutomaticAck(
  store: ObjectStore,
  options: CallOptions = {},
): Promise<AutomaticAck | undefined> {
  return (await readDocument(store, ackKey, ackSchema, options))?.value;
}

const standingSchema = z.object({
  atMs: instantMs,
  by: z.string(),
  mode: z.enum(['manual', 'advise', 'automatic']),
  primary: z.string(),
  standby: z.string(),
  verdicts: z.array(
    z.object({
      code: z.string(),
      subject: z.string().exactOptional(),
      severity: z.enum(['ok', 'info', 'warning', 'critical']),
      sinceMs: instantMs,
      sentence: z.string(),
      evidence: z.array(z.string()),
      /** A graver one that explains it. */
      partOf: z.string().exactOptional(),
    }),
  ),
  decision: z.object({ kind: z.string(), sentence: z.string(), reasons: z.array(reason), sinceMs: instantMs }),
});

/** What the daemon that acts makes of all reports now. */
export type AutomaticStanding = z.output<typeof standingSchema>;

const standingKey = 'standing';

/** Replaces how things stand; only the daemon that acts does this. */
export async function putStanding(
  store: ObjectStore,
  standing: AutomaticStanding,
  options: CallOptions = {},
): Promise<void> {
  await store.put(standingKey, encodeDocument(standing), options);
}

/** How things stood last; undefined when no daemon ever told. */
export async function readStanding(
  store: ObjectStore,
  options: CallOptions = {},
): Promise<AutomaticStanding | undefined> {
  return (await readDocument(store, standingKey, standingSchema, options))?.value;
}
