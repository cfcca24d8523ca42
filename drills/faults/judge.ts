import { verdictTable } from '../../health/verdict-table.ts';
import type { Expectation, Fault, Sign } from './catalogue.ts';
import type { Ends, FaultLook } from './look.ts';

/** What came of one expectation. */
export interface Met {
  readonly expectation: Expectation;
  /** How long it took; absent: it did not come. */
  readonly afterMs?: number;
  /** What was seen of it, or what there is instead. */
  readonly seen: string;
}

/** What must not be was: the sentence says what. */
export interface Breach {
  readonly code: 'FailoverBegun' | 'RolesChanged' | 'WrongVerdict' | 'WouldFailOver';
  readonly sentence: string;
}

/** A phase of a fault drill as it goes on: while something is broken, or behind the heal. */
export interface Phase {
  readonly startedAtMs: number;
  readonly met: readonly Met[];
  readonly breaches: readonly Breach[];
  /** Codes of the verdicts that were told meanwhile and not before. */
  readonly verdicts: readonly string[];
  readonly looks: number;
  /** Where the primary's logs ended when that could first be read in this phase, and when that was. */
  readonly target?: { readonly ends: Ends; readonly atMs: number };
  /** The checkpoint from which each job could be restored when that was first seen in this phase. */
  readonly points?: Readonly<Record<string, number>>;
}

/** What a phase is held against. */
export interface PhaseBasis {
  readonly fault: Fault;
  readonly expect: readonly Expectation[];
  /** The look at a platform in which nothing was broken. */
  readonly calm: FaultLook;
  /** Verdicts that were told while it was broken; only behind the heal. */
  readonly told?: readonly string[];
}

/** A phase in which nothing was seen yet. */
export function newPhase(startedAtMs: number): Phase {
  return { startedAtMs, met: [], breaches: [], verdicts: [], looks: 0 };
}

/** The phase after one more look. What was met stays met. Pure. */
export function afterLook(phase: Phase, look: FaultLook, basis: PhaseBasis): Phase {
  const target = phase.target ?? (look.primaryEnds && { ends: look.primaryEnds, atMs: look.atMs });
  const points = { ...Object.fromEntries(Object.entries(look.points).filter(isKnown)), ...phase.points };
  const known = { ...phase, points, ...(target && { target }) };
  const open = basis.expect.filter((e) => !phase.met.some((m) => m.expectation.id === e.id));
  const met = open.flatMap((expectation): readonly Met[] => {
    const seen = seenOf(expectation.sign, look, known, basis);
    return seen.is ? [{ expectation, afterMs: Math.max(0, look.atMs - phase.startedAtMs), seen: seen.says }] : [];
  });
  const codes = verdictsOf(look).filter((code) => !verdictsOf(basis.calm).includes(code));
  const breaches = breachesOf(look, basis).filter((b) => !phase.breaches.some((known) => known.code === b.code));
  return {
    ...known,
    met: [...phase.met, ...met],
    breaches: [...phase.breaches, ...breaches],
    verdicts: [...new Set([...phase.verdicts, ...codes])],
    looks: phase.looks + 1,
  };
}

/** What became of every expectation, with what there is instead of those that did not come. Pure. */
export function outcomeOf(phase: Phase, look: FaultLook | undefined, basis: PhaseBasis): readonly Met[] {
  return basis.expect.map((expectation) => {
    const met = phase.met.find((m) => m.expectation.id === expectation.id);
    if (met) return met;
    return { expectation, seen: look ? seenOf(expectation.sign, look, phase, basis).says : 'nothing was seen' };
  });
}

/** Whether a phase goes on: `met` when all came; `late` names what did not come in time. Pure. */
export function phaseNow(
  phase: Phase,
  nowMs: number,
  { expect }: Pick<PhaseBasis, 'expect'>,
): { readonly kind: 'met' } | { readonly kind: 'open' | 'late'; readonly missing: readonly Expectation[] } {
  const missing = expect.filter((e) => !phase.met.some((m) => m.expectation.id === e.id));
  if (missing.length === 0) return { kind: 'met' };
  const late = missing.filter((e) => nowMs - phase.startedAtMs > e.withinMs);
  return late.length === missing.length ? { kind: 'late', missing: late } : { kind: 'open', missing };
}

/** What forbids to go on with a fault, or to begin it: nobody may act on the regions meanwhile. Pure. */
function breachesOf(look: FaultLook, { fault, calm }: PhaseBasis): readonly Breach[] {
  const found: Breach[] = [];
  const { run, roles, standing } = look;
  if (run !== undefined && run.id !== calm.run?.id)
    found.push({ code: 'FailoverBegun', sentence: `the run ${run.id} was begun while the drill went on` });
  if (roles !== undefined && calm.roles !== undefined && roles.epoch !== calm.roles.epoch)
    found.push({ code: 'RolesChanged', sentence: `the roles changed: ${look.primary} is the primary now` });
  if (standing?.decision === 'act')
    found.push({ code: 'WouldFailOver', sentence: 'automatic mode decided to fail over' });
  const wrong = verdictsOf(look).filter((code) => !fault.looksDead && allowsFailover(code));
  if (wrong.length > 0)
    found.push({ code: 'WrongVerdict', sentence: `${wrong.join(', ')} was told, which would allow a failover` });
  return found;
}

const allowsFailover = (code: string) => verdictTable[code as keyof typeof verdictTable]?.act === 'failover';

const verdictsOf = (look: FaultLook): readonly string[] =>
  (look.standing?.verdicts ?? []).filter((v) => v.severity !== 'ok').map((v) => v.code);

const isKnown = (point: [string, number | undefined]): point is [string, number] => point[1] !== undefined;

interface Seen {
  readonly is: boolean;
  readonly says: string;
}

/** So long after its target was read the standby may not merely happen to be there. */
const advancesMs = 3_000;

function seenOf(sign: Sign, look: FaultLook, phase: Phase, { calm, told = [] }: PhaseBasis): Seen {
  switch (sign.kind) {
    case 'part-bad': {
      const is = look.parts.primary[sign.part];
      return { is: is !== 'ok', says: `${sign.part} of ${look.primary} is ${is}` };
    }
    case 'slots-fewer': {
      const [now, before] = [look.slots, calm.slots];
      if (look.parts.primary.job !== 'ok') return { is: true, says: `the job is ${look.parts.primary.job}` };
      const fewer = now !== undefined && before !== undefined && now < before;
      return { is: fewer, says: `${now ?? 'an unknown number of'} slots, ${before ?? 'an unknown number'} before` };
    }
    case 'dns-api-bad':
      return {
        is: look.dnsApi !== undefined && look.dnsApi !== 'ok',
        says: `its API is ${look.dnsApi ?? 'not asked'}`,
      };
    case 'names-answer': {
      const other = Object.entries(calm.names).filter(([key, answer]) => look.names[key] !== answer);
      const [first] = other;
      const says = first
        ? `${first[0]} answers ${look.names[first[0]] || 'nothing'}`
        : 'every resolver answers as before';
      return { is: other.length === 0, says };
    }
    case 'kafka-slower': {
      const [before, now] = [calm.kafkaMs, look.kafkaMs];
      const slower = look.parts.primary.kafka !== 'ok' || now >= before + sign.byMs;
      return { is: slower, says: `a look takes ${now} ms (${look.parts.primary.kafka}), ${before} ms before` };
    }
    case 'verdict': {
      const codes = verdictsOf(look);
      const found = codes.filter((code) => sign.anyOf.some((wanted) => wanted === code));
      const says = look.standing === undefined ? 'nobody tells verdicts' : codes.join(', ') || 'no verdict';
      return { is: found.length > 0, says };
    }
    case 'mirror-advances': {
      const target = phase.target ?? (calm.primaryEnds && { ends: calm.primaryEnds, atMs: phase.startedAtMs });
      if (target === undefined || look.atMs - target.atMs < advancesMs) return { is: false, says: 'too soon to tell' };
      return reached(look.standbyEnds, target.ends);
    }
    case 'parts-well': {
      const { bad } = look;
      const news = bad.filter((sentence) => !calm.bad.includes(sentence));
      return { is: news.length === 0, says: news.join('; ') || 'all parts are well' };
    }
    case 'mirror-caught-up':
      return phase.target
        ? reached(look.standbyEnds, phase.target.ends)
        : { is: false, says: 'the primary’s ends are unknown' };
    case 'checkpoint-after': {
      // By the store's clock, so against what the store had before, and not against the hour of the heal by ours.
      const before = (job: string) => phase.points?.[job] ?? Number.POSITIVE_INFINITY;
      const old = Object.entries(look.points).filter(([job, atMs]) => atMs === undefined || atMs <= before(job));
      const [first] = old;
      const what = first && (first[1] === undefined ? 'no usable checkpoint' : 'none that is newer than the heal');
      return { is: old.length === 0, says: first ? `${first[0]}: ${what}` : 'each job has one' };
    }
    case 'verdicts-gone': {
      if (told.length > 0 && look.standing === undefined) return { is: false, says: 'nobody tells verdicts' };
      const left = verdictsOf(look).filter((code) => told.includes(code));
      return {
        is: left.length === 0,
        says: left.length === 0 ? 'none of them is told any more' : `${left.join(', ')} still`,
      };
    }
    default:
      return sign satisfies never;
  }
}

function reached(ends: Ends | undefined, target: Ends): Seen {
  if (ends === undefined) return { is: false, says: 'the standby’s ends are unknown' };
  const behind = Object.entries(target).reduce((sum, [key, end]) => {
    const gap = end - (ends[key] ?? 0n);
    return gap > 0n ? sum + gap : sum;
  }, 0n);
  return { is: behind === 0n, says: behind === 0n ? 'the standby holds them all' : `${behind} records are missing` };
}
