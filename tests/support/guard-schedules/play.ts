import { setTimeout as sleep } from 'node:timers/promises';
import { readTopic } from '../../../lab/auditor/read-topic.ts';
import { names } from '../../../lab/lab-info.ts';
import type { GuardedLab } from './guarded-lab.ts';
import {
  bothWritable,
  type DoneFailover,
  explainedSpans,
  falseSuccess,
  longestAfterThaw,
  type Observation,
  type ReadRecord,
  type Span,
  wrongLogs,
} from './judge.ts';
import type { GuardSchedule } from './schedule.ts';
import { type SteadyWriter, steadyWriter } from './steady-writer.ts';

/** What Argus says of a failover; from its report. */
export interface FailoverWord {
  readonly run: string;
  readonly fencing: DoneFailover['fencing'];
  readonly promotedAt: readonly { readonly topic: string; readonly partition: number; readonly offset: string }[];
}

/** Argus in the lab. */
export interface Operator {
  /** Fails over; undefined: it ended otherwise than done, `why` says how. */
  failover(): Promise<FailoverWord | { readonly why: string }>;
  /** `argus runs show <run> --recount`: records of `events` on the old primary beyond the promotion. */
  recount(run: string): Promise<number>;
}

export interface Played {
  readonly failover: FailoverWord;
  /** What ended before it otherwise than done. */
  readonly failed: readonly string[];
  /** Everything that speaks against Argus; empty: all is as it should be. */
  readonly wrong: readonly string[];
  readonly orphans: number;
  readonly longestAfterThawMs: number;
  /** Writes that the old primary took after a thaw. */
  readonly tookAfterThaw: number;
  /** Steps of 100 ms in which both sides took writes while the old one had no guard, which had been killed. */
  readonly stepsUnguarded: number;
}

const { primary, standby } = names;
const { topic } = names.events;

/** Plays a schedule on a lab with daemon and guards, while both regions are written to; judges what was seen. */
export async function playSchedule(
  guarded: GuardedLab,
  operator: Operator,
  { events, lengthMs }: GuardSchedule,
  afterMs: number,
): Promise<Played> {
  const { lab } = guarded;
  const writers = [primary, standby].map((region): SteadyWriter => {
    const { inside, users } = lab.info.regions[region].kafka;
    return steadyWriter(region === primary ? 'old' : 'new', inside, users?.ingest ?? '');
  });
  const [old, active] = writers as [SteadyWriter, SteadyWriter];
  const thawedAtMs: number[] = [];
  const unguarded: Span[] = [];
  let killedAtMs: number | undefined;
  const watch = setInterval(() => {
    if (killedAtMs === undefined || !guarded.guards[primary].isUp()) return;
    unguarded.push({ fromMs: killedAtMs, toMs: performance.now() });
    killedAtMs = undefined;
  }, 20);
  let failing: Promise<Done> | undefined;
  try {
    await until('the old primary takes writes', 20_000, () => old.acknowledged.size > 10);
    let beganAt = performance.now();
    for (const event of events) {
      await sleep(Math.max(0, beganAt + event.atMs - performance.now()));
      if (event.kind === 'cut') await guarded.way(event.way).cut();
      else if (event.kind === 'heal') await guarded.way(event.way).restore();
      else if (event.kind === 'freeze') await guarded.freeze();
      else if (event.kind === 'thaw') {
        // What failed for good is told at the end.
        if (event.whenDone) await failing?.catch(() => undefined);
        beganAt = Math.max(beganAt, performance.now() - event.atMs);
        thawedAtMs.push(performance.now());
        await guarded.thaw();
      } else if (event.kind === 'restart-guard') {
        killedAtMs ??= performance.now();
        await guarded.guards[primary].restart();
      } else failing = failOver(operator, beganAt + lengthMs + 150_000);
      failing?.catch(() => undefined);
    }
    await sleep(Math.max(0, beganAt + lengthMs - performance.now()));
    const { word, failed, doneAtMs } = await failing!;
    const observations = () => writers.flatMap((w) => w.observations);
    // Both guards hear everybody again: what is now, stays.
    const now = (w: SteadyWriter) => {
      const last = w.observations.filter((o) => o.sentAtMs >= doneAtMs && o.endedAtMs > performance.now() - 2_000);
      return new Set(last.map((o) => o.kind));
    };
    const settled = () => {
      const [olds, news] = [now(old), now(active)];
      return (
        performance.now() > doneAtMs + 2_000 && news.has('writable') && olds.has('denied') && !olds.has('writable')
      );
    };
    await until('the new primary takes writes, and the old one none', 60_000, settled).catch((error: Error) => {
      const seen = [old, active].map((w) => [...now(w)].join(' and ') || 'silent').join(', ');
      const words = [primary, standby].map((r) => guarded.guards[r].said().split('\n').slice(-6).join('\n'));
      throw new Error(`${error.message}: they are ${seen}\n${words.join('\n')}`);
    });
    const untilMs = performance.now();
    await Promise.all(writers.map((w) => w.stop()));
    const [oldLog, newLog] = await Promise.all(
      [primary, standby].map((r) => recordsOf(lab.info.regions[r].kafka.auditor)),
    );
    const counted = await operator.recount(word.run);
    const seen: readonly Observation[] = observations();
    const steps = bothWritable(seen, explainedSpans(thawedAtMs, unguarded, afterMs));
    const stepsUnguarded = bothWritable(seen, explainedSpans(thawedAtMs, [], afterMs)).length - steps.length;
    const longestAfterThawMs = Math.round(longestAfterThaw(seen, thawedAtMs));
    const promotedAt = new Map(
      word.promotedAt.filter((p) => p.topic === topic).map((p) => [p.partition, Number(p.offset)]),
    );
    return {
      failover: word,
      failed,
      orphans: counted,
      longestAfterThawMs,
      stepsUnguarded,
      tookAfterThaw: old.observations.filter((o) => o.kind === 'writable' && o.endedAtMs > Math.min(...thawedAtMs))
        .length,
      wrong: [
        ...steps.map((at) => `both sides took writes ${((at - beganAt) / 1_000).toFixed(1)} s after the begin`),
        ...falseSuccess({ doneAtMs, fencing: word.fencing }, seen, untilMs),
        ...wrongLogs({
          old: oldLog!,
          new: newLog!,
          promotedAt,
          counted,
          sentToOld: old.sent,
          acknowledged: old.acknowledged,
        }),
      ],
    };
  } finally {
    clearInterval(watch);
    await Promise.all(writers.map((w) => w.stop()));
  }
}

interface Done {
  readonly word: FailoverWord;
  readonly failed: readonly string[];
  readonly doneAtMs: number;
}

/** What came of it, in one line. */
export function describePlayed(played: Played): string {
  const { failover, failed, orphans, tookAfterThaw, longestAfterThawMs, stepsUnguarded, wrong } = played;
  const without = stepsUnguarded === 0 ? '' : `, ${stepsUnguarded} steps with two sides while no guard ran`;
  const thaw =
    tookAfterThaw === 0 ? '' : `, ${tookAfterThaw} taken after a thaw (two sides for ${longestAfterThawMs} ms)`;
  return `fence ${failover.fencing}, ${orphans} orphans${thaw}${without}, ${failed.length} attempts before, ${wrong.length} wrong`;
}

/** Again and again, as an operator would. */
async function failOver(operator: Operator, deadlineMs: number): Promise<Done> {
  const failed: string[] = [];
  for (;;) {
    const word = await operator.failover();
    const doneAtMs = performance.now();
    if ('run' in word) return { word, failed, doneAtMs };
    failed.push(word.why);
    if (doneAtMs > deadlineMs) throw new Error(`no failover was ever done:\n${failed.join('\n')}`);
    await sleep(1_000);
  }
}

async function until(what: string, forMs: number, isSo: () => boolean): Promise<void> {
  for (const deadline = performance.now() + forMs; !isSo(); await sleep(100))
    if (performance.now() > deadline) throw new Error(`${what}: not within ${forMs / 1_000} s`);
}

async function recordsOf(bootstrap: string): Promise<readonly ReadRecord[]> {
  const records: ReadRecord[] = [];
  await readTopic({ bootstrap, topic }, ({ partition, offset, value }) => records.push({ partition, offset, value }));
  return records;
}
