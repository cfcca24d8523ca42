import type { CalmView } from '../../../../drills/faults/calm.ts';
import { type Fault, faultCatalogue } from '../../../../drills/faults/catalogue.ts';
import type { FaultLook } from '../../../../drills/faults/look.ts';
import type { FaultCall, FaultEyes, FaultHooks, FaultNotes, FaultOrder } from '../../../../drills/faults/ports.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import { dropFaultNote, listFaultNotes, putFaultNote } from '../../../../state/fault-notes.ts';
import { type VirtualClock, virtualClock } from '../../state/virtual-clock.ts';

/** What a drill that was cut off noted as broken. */
export const leftNote = {
  fault: 'broker-down',
  run: '20261122T000000Z-drill-0001',
  atMs: 1,
  by: 'me',
  heal: 'heal it',
} as const;

/** A look at a platform in which nothing is wrong. */
export function calmLook(changes: Partial<FaultLook> = {}): FaultLook {
  const well = { kafka: 'ok', objects: 'ok', flink: 'ok', job: 'ok' } as const;
  return {
    atMs: 1_800_000_000_000,
    primary: 'mumbai',
    standby: 'singapore',
    parts: { primary: well, standby: well },
    bad: [],
    slots: 2,
    kafkaMs: 5,
    dnsApi: 'ok',
    names: { 'ingest.argus.test 127.0.0.1:53': '127.0.1.1' },
    primaryEnds: { 'events-0': 100n },
    standbyEnds: { 'events-0': 100n },
    points: { counts: 1_799_999_999_000 },
    standing: { mode: 'manual', verdicts: [{ code: 'AllWell', severity: 'ok', sentence: '' }], decision: 'idle' },
    roles: { epoch: 1, replication: 'active' },
    ...changes,
  };
}

/** What a calm platform is judged by. */
export const calmSettings: Omit<CalmView, 'fault' | 'look'> = {
  automatic: { mode: 'manual', observers: [{ name: 'outside', place: 'outside' }] },
  kubernetes: true,
};

/** A platform of which one thing can be broken, and the hooks that do it. */
export interface FaultWorld {
  readonly clock: VirtualClock;
  readonly store: ObjectStore;
  /** What the hooks were called for, in order. */
  readonly called: FaultCall[];
  /** With what, in the same order. */
  readonly orders: FaultOrder[];
  readonly platform: { broken: boolean };
  readonly hooks: FaultHooks;
  readonly notes: FaultNotes;
  readonly eyes: FaultEyes;
}

interface WorldOptions {
  /** What is seen before it is broken, beside a calm platform. */
  readonly before?: Partial<FaultLook>;
  /** What is seen while it is broken, beside what the catalogue expects. */
  readonly whileBroken?: Partial<FaultLook>;
  /** Calls that fail, by how often each was made already. */
  readonly fails?: (what: FaultCall, before: number) => boolean;
  readonly difference?: string;
}

/** A world in which the fault shows as its catalogue has it. */
export function faultWorld(fault: Fault, options: WorldOptions = {}): FaultWorld {
  const clock = virtualClock();
  const store = memoryObjectStore('drills');
  const called: FaultCall[] = [];
  const orders: FaultOrder[] = [];
  const platform = { broken: false };
  const startedAtMs = clock.now();
  const ends = () => ({ 'events-0': BigInt(100 + Math.floor((clock.now() - startedAtMs) / 1_000)) });
  return {
    ...{ clock, store, called, orders, platform },
    hooks: hooksOf(fault, platform, { called, orders }, options.fails),
    notes: notesIn(store),
    eyes: {
      async look() {
        const now = { atMs: clock.now(), primaryEnds: ends(), standbyEnds: ends(), points: { counts: clock.now() } };
        if (!platform.broken) return calmLook({ ...now, ...options.before });
        return calmLook({ ...now, ...signsOf(fault), ...options.whileBroken });
      },
      async compare() {
        const { difference } = options;
        return { kind: 'compared', records: 100, ...(difference === undefined ? {} : { difference }) };
      },
    },
  };
}

/** The notes of faults in a store. */
export function notesIn(store: ObjectStore): FaultNotes {
  return {
    put: (note) => putFaultNote(store, note),
    list: () => listFaultNotes(store),
    drop: (fault) => dropFaultNote(store, fault),
  };
}

function hooksOf(
  fault: Fault,
  platform: { broken: boolean },
  { called, orders }: Pick<FaultWorld, 'called' | 'orders'>,
  fails: WorldOptions['fails'] = () => false,
): FaultHooks {
  return {
    fault: fault.name,
    manual: { inject: 'break it', heal: 'heal it', check: 'check it' },
    timeoutMs: { inject: 10_000, heal: 10_000, check: 10_000 },
    async call(what, order) {
      const before = called.filter((c) => c === what).length;
      called.push(what);
      orders.push(order);
      if (fails(what, before)) return { ok: false, result: 'exit code 1', output: 'no such broker' };
      if (what !== 'check') platform.broken = what === 'inject';
      const ok = what !== 'check' || !platform.broken;
      return { ok, result: ok ? 'exit code 0' : 'exit code 1', output: '' };
    },
  };
}

/** What a platform shows with this fault. */
function signsOf(fault: Fault): Partial<FaultLook> {
  const known = faultCatalogue[fault.name];
  const signs = known.during.map((e) => e.sign);
  const well = calmLook().parts;
  const bad = signs.flatMap((s) => (s.kind === 'part-bad' ? [[s.part, 'unknown'] as const] : []));
  const codes = signs.flatMap((s) => (s.kind === 'verdict' ? [s.anyOf[0] ?? ''] : []));
  return {
    parts: { ...well, primary: { ...well.primary, ...Object.fromEntries(bad) } },
    bad: bad.map(([part]) => `${part} of mumbai is unknown`),
    slots: signs.some((s) => s.kind === 'slots-fewer') ? 0 : 2,
    kafkaMs: signs.some((s) => s.kind === 'kafka-slower') ? 900 : 5,
    dnsApi: signs.some((s) => s.kind === 'dns-api-bad') ? 'failed' : 'ok',
    standing: {
      mode: 'manual',
      verdicts: codes.map((code) => ({ code, severity: 'warning', sentence: code })),
      decision: 'idle',
    },
  };
}
