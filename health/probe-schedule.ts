/** When something is looked at. */
export interface Rhythm {
  readonly name: string;
  readonly periodMs: number;
}

/** What is due when; instants are of a monotonic clock. */
export interface Schedule {
  readonly dueMs: ReadonlyMap<string, number>;
  readonly running: ReadonlySet<string>;
}

/** The part of its period by which a look comes earlier or later, so that those of many observers don't fall together. */
const jitter = 0.1;
/** However long its period, each is looked at for the first time within this. */
const firstWithinMs = 1_000;

/** The first looks, spread; `random` gives numbers from 0 up to 1. Pure. */
export function beginSchedule(rhythms: readonly Rhythm[], nowMs: number, random: () => number): Schedule {
  const first = ({ periodMs }: Rhythm) => nowMs + random() * Math.min(periodMs, firstWithinMs);
  return { dueMs: new Map(rhythms.map((r) => [r.name, first(r)])), running: new Set() };
}

/** What is to begin now: longest due first, nothing twice at a time, and no more at once than given. Pure. */
export function dueNow({ dueMs, running }: Schedule, nowMs: number, atOnce: number): readonly string[] {
  return [...dueMs]
    .filter(([name, due]) => due <= nowMs && !running.has(name))
    .sort(([, a], [, b]) => a - b)
    .slice(0, Math.max(0, atOnce - running.size))
    .map(([name]) => name);
}

/** After a look has begun: it runs, and the next one is planned. What was missed is not made up for. Pure. */
export function begun(schedule: Schedule, rhythm: Rhythm, nowMs: number, random: () => number): Schedule {
  const { name, periodMs } = rhythm;
  const planned = (schedule.dueMs.get(name) ?? nowMs) + periodMs;
  const next = (planned > nowMs ? planned : nowMs + periodMs) + (random() * 2 - 1) * jitter * periodMs;
  return {
    dueMs: new Map([...schedule.dueMs, [name, next]]),
    running: new Set([...schedule.running, name]),
  };
}

/** After a look has ended. Pure. */
export function ended({ dueMs, running }: Schedule, name: string): Schedule {
  return { dueMs, running: new Set([...running].filter((n) => n !== name)) };
}

/** How long nothing begins, unless a look ends before; undefined: all that is due waits for one to end. Pure. */
export function restMs({ dueMs, running }: Schedule, nowMs: number, atOnce: number): number | undefined {
  if (running.size >= atOnce) return undefined;
  const waiting = [...dueMs].filter(([name]) => !running.has(name)).map(([, due]) => due);
  return waiting.length === 0 ? undefined : Math.max(0, Math.min(...waiting) - nowMs);
}
