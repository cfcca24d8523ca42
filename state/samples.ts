import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

/** What the daemon knew at one instant. What nobody could tell is absent. */
export interface Sample {
  readonly atMs: number;
  /** Whether the primary's Kafka answered. */
  readonly primarySeen?: boolean;
  /** Of all topics together. */
  readonly lagRecords?: number;
  /** Of the topic that was farthest behind. */
  readonly lagMs?: number;
  /** By job: how old the newest checkpoint was that the standby had. */
  readonly checkpointAgeMs: Readonly<Record<string, number>>;
}

const maybe = z.array(z.number().nullable());

// In columns and without white space: it is written each minute, and read seldom.
const schema = z.object({
  fromMs: instantMs,
  /** After `fromMs`. */
  afterMs: z.array(z.number()),
  seen: z.array(z.literal([0, 1]).nullable()),
  lagRecords: maybe,
  lagMs: maybe,
  checkpointAgeMs: z.record(z.string(), maybe),
});

const slotMs = 10 * 60_000;
const slotRoot = 'samples/slots/';
const runRoot = 'samples/runs/';
const keyOf = (fromMs: number) => `${slotRoot}${new Date(fromMs).toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}Z`;

/** The begin of the ten minutes that an instant belongs to: their samples lie in one object. Pure. */
export const slotOf = (atMs: number): number => Math.floor(atMs / slotMs) * slotMs;

/** Samples as they are kept. Pure; `unpackSamples` gives them back. */
export function packSamples(samples: readonly Sample[]): z.output<typeof schema> {
  const fromMs = samples[0]?.atMs ?? 0;
  const jobs = [...new Set(samples.flatMap((s) => Object.keys(s.checkpointAgeMs)))];
  return {
    fromMs,
    afterMs: samples.map((s) => s.atMs - fromMs),
    seen: samples.map((s) => (s.primarySeen === undefined ? null : s.primarySeen ? 1 : 0)),
    lagRecords: samples.map((s) => s.lagRecords ?? null),
    lagMs: samples.map((s) => s.lagMs ?? null),
    checkpointAgeMs: Object.fromEntries(jobs.map((job) => [job, samples.map((s) => s.checkpointAgeMs[job] ?? null)])),
  };
}

/** What `packSamples` made of them. Pure. */
export function unpackSamples(packed: z.output<typeof schema>): readonly Sample[] {
  return packed.afterMs.map((after, i) => {
    const [seen, records, ms] = [packed.seen[i], packed.lagRecords[i], packed.lagMs[i]];
    const ages = Object.entries(packed.checkpointAgeMs).flatMap(([job, all]) => {
      const age = all[i];
      return typeof age === 'number' ? [[job, age] as const] : [];
    });
    return {
      atMs: packed.fromMs + after,
      ...(typeof seen === 'number' ? { primarySeen: seen === 1 } : {}),
      ...(typeof records === 'number' ? { lagRecords: records } : {}),
      ...(typeof ms === 'number' ? { lagMs: ms } : {}),
      checkpointAgeMs: Object.fromEntries(ages),
    };
  });
}

async function read(store: ObjectStore, key: string, options: CallOptions): Promise<readonly Sample[] | undefined> {
  const there = await readDocument(store, key, schema, options);
  return there && unpackSamples(there.value);
}

const put = async (store: ObjectStore, key: string, samples: readonly Sample[], options: CallOptions) =>
  void (await store.put(key, Buffer.from(JSON.stringify(packSamples(samples))), options));

/** The samples of the ten minutes that begin at `fromMs`; none when nobody noted any. */
export async function readSlot(
  store: ObjectStore,
  fromMs: number,
  options: CallOptions = {},
): Promise<readonly Sample[]> {
  return (await read(store, keyOf(fromMs), options)) ?? [];
}

/** Replaces the samples of ten minutes; only the daemon that leads does this. Idempotent. */
export async function putSlot(
  store: ObjectStore,
  fromMs: number,
  samples: readonly Sample[],
  options: CallOptions = {},
): Promise<void> {
  await put(store, keyOf(fromMs), samples, options);
}

/** Forgets the samples of all slots that began before this. Gives how many. Idempotent. */
export async function dropSlotsBefore(
  store: ObjectStore,
  beforeMs: number,
  options: CallOptions = {},
): Promise<number> {
  const { objects } = await store.list(slotRoot, options);
  const old = objects.filter(({ key }) => key < keyOf(beforeMs));
  for (const { key } of old) await store.delete(key, options);
  return old.length;
}

/** The samples between two instants, from as many slots as that takes. At most a day of them. */
export async function samplesBetween(
  store: ObjectStore,
  fromMs: number,
  toMs: number,
  options: CallOptions = {},
): Promise<readonly Sample[]> {
  const first = Math.max(slotOf(fromMs), slotOf(toMs) - 86_400_000);
  const slots = Array.from({ length: Math.floor((toMs - first) / slotMs) + 1 }, (_, i) => first + i * slotMs);
  const all = await Promise.all(slots.map((slot) => readSlot(store, slot, options)));
  return all.flat().filter((s) => s.atMs >= fromMs && s.atMs <= toMs);
}

/** The samples that stay with a run; undefined: none were put aside for it yet. */
export async function samplesOfRun(
  store: ObjectStore,
  run: string,
  options: CallOptions = {},
): Promise<readonly Sample[] | undefined> {
  return read(store, `${runRoot}${run}`, options);
}

/** Puts the samples around a run aside, which stay when their slots are forgotten. Idempotent. */
export async function putRunSamples(
  store: ObjectStore,
  run: string,
  samples: readonly Sample[],
  options: CallOptions = {},
): Promise<void> {
  await put(store, `${runRoot}${run}`, samples, options);
}

/** The runs for which samples were put aside. */
export async function runsWithSamples(store: ObjectStore, options: CallOptions = {}): Promise<ReadonlySet<string>> {
  const { objects } = await store.list(runRoot, options);
  return new Set(objects.map(({ key }) => key.slice(runRoot.length)));
}
