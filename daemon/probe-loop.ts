import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import { beginSchedule, begun, dueNow, ended, type Rhythm, restMs, type Schedule } from '../health/probe-schedule.ts';
import type { ProbeTask, Sight } from '../health/sight.ts';
import type { Log } from './log.ts';

export interface ProbeLoopParts {
  readonly tasks: readonly ProbeTask[];
  /** So many looks at once at most. */
  readonly atOnce: number;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** What a look gave, each time. */
  readonly onSeen: (task: ProbeTask, sights: readonly Sight[], beganAtMs: number) => void;
}

/** Looks again and again, each in its own rhythm and bounded by itself, until the signal. */
export async function runProbeLoop(parts: ProbeLoopParts, signal: AbortSignal): Promise<void> {
  const { tasks, atOnce, clock, log, random } = parts;
  const byName = new Map(tasks.map((task) => [task.name, task]));
  let schedule: Schedule = beginSchedule(tasks, clock.monotonic(), random);
  let wake = new AbortController();

  async function look(task: ProbeTask): Promise<void> {
    const beganAtMs = clock.now();
    try {
      const sights = await task.look({ signal });
      if (!signal.aborted) parts.onSeen(task, sights, beganAtMs);
    } catch (error) {
      if (!signal.aborted) log.warn({ probe: task.name, error: describeError(error) }, `${task.name}: not looked at`);
    } finally {
      schedule = ended(schedule, task.name);
      wake.abort();
    }
  }

  const under = new Set<Promise<void>>();
  while (!signal.aborted) {
    for (const name of dueNow(schedule, clock.monotonic(), atOnce)) {
      const task = byName.get(name) as ProbeTask;
      schedule = begun(schedule, task as Rhythm, clock.monotonic(), random);
      const looking = look(task).finally(() => under.delete(looking));
      under.add(looking);
    }
    wake = new AbortController();
    const rest = restMs(schedule, clock.monotonic(), atOnce) ?? 60_000;
    // Both are an ordinary end of the rest.
    if (rest > 0) await clock.sleep(rest, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
  }
  await Promise.all(under);
}
