import { type AutomaticSettings, automaticSection } from '../../../domain/automatic-config.ts';
import { afterLook, type Observation, type ProbeName, type Seen, seenKey } from '../../../domain/observation.ts';
import { type AutomaticDecision, decideAutomatic } from '../../../health/decide-automatic.ts';
import type { HeardReport } from '../../../health/observer-picture.ts';
import { judge, noMemory, type Verdict, type VerdictMemory } from '../../../health/verdict.ts';

/** Something that goes wrong from one second to another (exclusive). */
export type Fault = { readonly from: number; readonly to: number } /** Processes are gone, their machines refuse. */ & (
  | {
      readonly kind: 'dead';
      readonly region: string;
      readonly only?: ProbeName /** A proxy on this side of a cut refuses for it. */;
      readonly near?: true;
    }
  /** Nothing answers: frozen, without power. */
  | { readonly kind: 'silent'; readonly region: string; readonly only?: ProbeName }
  | { readonly kind: 'slow'; readonly region: string; readonly only?: ProbeName; readonly ms: number }
  /** What goes between two places vanishes. */
  | { readonly kind: 'cut'; readonly place: string; readonly region: string }
  /** The observer's process is gone. */
  | { readonly kind: 'observer'; readonly name: string }
  /** Its reports don't get to the state. */
  | { readonly kind: 'unheard'; readonly name: string }
  | { readonly kind: 'skew'; readonly name: string; readonly ms: number }
  /** The mirror doesn't reach its source. */
  | { readonly kind: 'severed' }
  /** One thing that an observer of the daemon finds failed. */
  | { readonly kind: 'failed'; readonly probe: ProbeName; readonly subject?: string }
);

export interface Scene {
  readonly faults: readonly Fault[];
  readonly seconds: number;
  readonly settings?: Partial<Parameters<typeof automaticSection.parse>[0] & object>;
  readonly stepMs?: number;
}

/** What was concluded at one instant. */
export interface Moment {
  readonly at: number;
  readonly verdicts: readonly Verdict[];
  readonly decision: AutomaticDecision;
}

const observers = [
  { name: 'east', place: 'blue' },
  { name: 'west', place: 'green' },
  { name: 'far', place: 'outside' },
];

/** Settings of automatic mode where everything was accepted beforehand. */
export function settingsOf(changes: Scene['settings'] = {}): AutomaticSettings {
  const base = { mode: 'automatic', observers, acceptUnfenced: true, stateIsOutside: true };
  return automaticSection.parse({ ...base, ...changes });
}

/** Of each look. */
const deadlineMs = 2_000;

const probes: readonly ProbeName[] = ['kafka', 'objects', 'flink', 'job', 'ingress'];
const regions = ['blue', 'green'];

/** Plays faults before simulated observers and the real judgement, blue being the primary; gives every instant. */
export function play({ faults, seconds, settings: changes, stepMs = 1_000 }: Scene): readonly Moment[] {
  const settings = settingsOf(changes);
  const seen = new Map(settings.observers.map((o) => [o.name, new Map<string, Seen>()]));
  const heard = new Map<string, HeardReport>();
  const putAt = new Map<string, number>();
  const endedAt = new Map<string, number>();
  const moments: Moment[] = [];
  let memory: VerdictMemory = noMemory;
  let sequence = 0;
  for (let ms = 0; ms < seconds * 1_000; ms += stepMs) {
    const active = faults.filter((f) => f.from * 1_000 <= ms && ms < f.to * 1_000);
    for (const { name, place } of settings.observers) {
      if (active.some((f) => f.kind === 'observer' && f.name === name)) continue;
      const own = seen.get(name);
      if (own === undefined) continue;
      const skew = active.reduce((sum, f) => sum + (f.kind === 'skew' && f.name === name ? f.ms : 0), 0);
      const atMs = 1_000_000_000 + ms + skew;
      let changed = false;
      for (const look of looksOf(name, place, active, atMs)) {
        const key = look.region === undefined ? seenKey(look) : look.probe + look.region;
        // One that times out ends seconds after it began; the next begins a second later, or somewhat more.
        const timesOut = look.latencyMs >= deadlineMs;
        if (timesOut && ms - (endedAt.get(name + key) ?? 0) < deadlineMs + 1_500) continue;
        endedAt.set(name + key, ms);
        const before = own.get(key);
        changed ||= before?.status !== look.status;
        own.set(key, afterLook(before, timesOut ? { ...look, atMs: look.atMs - deadlineMs } : look));
      }
      const last = putAt.get(name);
      const due = changed || last === undefined || ms - last >= 3_000;
      if (!due || active.some((f) => f.kind === 'unheard' && f.name === name)) continue;
      // The observer in a region that is cut off from everybody reaches no third place either.
      if (place !== 'outside' && isolated(place, active)) continue;
      putAt.set(name, ms);
      sequence += 1;
      heard.set(name, {
        report: { observer: name, place, atMs, sequence, seen: [...own.values()] },
        heardAtMs: ms,
      });
    }
    const nowMs = 2_000_000_000 + ms;
    const judged = judge(memory, {
      nowMs,
      monotonicMs: ms,
      reports: [...heard.values()],
      primary: 'blue',
      standby: 'green',
      settings,
    });
    memory = judged.memory;
    const decision = decideAutomatic({
      settings,
      verdicts: judged.verdicts,
      roles: { epoch: 1, primary: 'blue', standby: 'green', replication: 'active', atMs: 0 },
      nowMs,
      leads: true,
      statePlace: 'outside',
      guarded: false,
      readiness: { status: 'green', blockers: [] },
      rpoMs: 60_000,
      lossMs: 1_000,
    });
    moments.push({ at: ms / 1_000, verdicts: judged.verdicts, decision });
  }
  return moments;
}

/** Whether a whole region neither hears nor is heard: cut off from all others, frozen, without power. */
function isolated(region: string, active: readonly Fault[]): boolean {
  if (active.some((f) => f.kind === 'silent' && f.region === region && f.only === undefined)) return true;
  const others = ['outside', ...regions.filter((r) => r !== region)];
  return others.every((place) => active.some((f) => f.kind === 'cut' && f.place === place && f.region === region));
}

function looksOf(observer: string, place: string, active: readonly Fault[], atMs: number): readonly Observation[] {
  const looks: Observation[] = [];
  for (const region of regions) {
    const cut = place !== region && active.some((f) => f.kind === 'cut' && f.place === place && f.region === region);
    for (const probe of probes) {
      // None runs where it should not.
      const idle = probe === 'job' && region === 'green';
      const on = active.filter(
        (f) => 'region' in f && f.region === region && (!('only' in f) || f.only === undefined || f.only === probe),
      );
      const dead = idle || on.some((f) => f.kind === 'dead');
      const silent = cut || on.some((f) => f.kind === 'silent');
      const slow = on.reduce((max, f) => (f.kind === 'slow' ? Math.max(max, f.ms) : max), 20);
      const common = { observer, probe, region, atMs, ...(probe === 'job' ? { subject: 'counts' } : {}) };
      if (on.some((f) => f.kind === 'dead' && f.near))
        looks.push({ ...common, status: 'failed', latencyMs: 3, reason: 'refused' });
      else if (silent || slow > deadlineMs)
        looks.push({
          ...common,
          status: 'unknown',
          latencyMs: deadlineMs,
          reason: 'no answer within 2 s',
          code: 'ProbeTimedOut',
        });
      else if (dead) looks.push({ ...common, status: 'failed', latencyMs: 3, reason: 'connection refused' });
      else looks.push({ ...common, status: 'ok', latencyMs: slow });
    }
  }
  if (observer === 'west' && active.some((f) => f.kind === 'severed')) {
    const away = {
      status: 'unknown',
      latencyMs: 0,
      reason: "blue can't be reached",
      code: 'SourceUnreachable',
    } as const;
    looks.push({ ...away, observer, probe: 'mirror', region: 'green', atMs });
  }
  if (observer === 'west')
    for (const f of active)
      if (f.kind === 'failed')
        looks.push({
          observer,
          probe: f.probe,
          atMs,
          status: 'failed',
          latencyMs: 1,
          reason: 'as the daemon finds',
          ...(f.subject === undefined ? {} : { subject: f.subject }),
        });
  return looks;
}

/** Codes of all verdicts that were told at some time, in the order of their first. */
export const codesOf = (moments: readonly Moment[]): readonly string[] => [
  ...new Set(moments.flatMap((m) => m.verdicts.map((v) => v.code))),
];

/** The first second in which a failover would have begun; undefined: it never would. */
export const actedAt = (moments: readonly Moment[]): number | undefined =>
  moments.find((m) => m.decision.kind === 'act')?.at;
