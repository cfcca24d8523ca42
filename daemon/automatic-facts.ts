import type { AutomaticView, CutOffRun } from '../health/decide-automatic.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { estimateLoss } from '../replication/topics/estimate-loss.ts';
import { readAutomaticAck } from '../state/decisions.ts';
import { inspectRun, listRuns } from '../state/journal.ts';
import { readLease } from '../state/lease.ts';
import { foldRun, type RunRecord } from '../state/run-record.ts';
import { readSighting, type Sighting } from '../state/sightings.ts';
import { watchLease } from './lease-watch.ts';
import { textIn } from './run-news.ts';

/** Whoever acts without a person calls himself so, with his host after it. */
export const automaticName = 'argus automatic';

type Facts = Pick<AutomaticView, 'lossMs' | 'lastRun' | 'acknowledged' | 'cutOff' | 'acting'>;

/** What has to be read before a decision that may act. */
export interface AutomaticFacts {
  read(primary: string, clocks: { readonly nowMs: number; readonly monotonicMs: number }, call: Call): Promise<Facts>;
}

interface Call {
  readonly signal: AbortSignal;
}

const changesRoles = ['failover', 'switchover', 'failback'];

/** Reads from the state; watches the lease over its calls. */
export function automaticFacts(state: ObjectStore): AutomaticFacts {
  const lives = watchLease();
  // Nothing follows the end of a run: its journal is read once.
  let ended: RunRecord | undefined;

  async function acting(monotonicMs: number, call: Call): Promise<string | undefined> {
    const held = await readLease(state, call);
    return lives(held, monotonicMs) ? `${held.holder} (${held.purpose})` : undefined;
  }

  return {
    async read(primary, { nowMs, monotonicMs }, call) {
      const [who, run, ack, sighting] = await Promise.all([
        acting(monotonicMs, call),
        newestRun(state, call, ended),
        readAutomaticAck(state, call),
        readSighting(state, primary, call),
      ]);
      ended = run && hasEnded(run) ? run : undefined;
      return {
        acting: who,
        lastRun: run && { run: run.run, atMs: run.startedAtMs },
        cutOff: run && isCutOff(run) ? await cutOffOf(state, run, call) : undefined,
        acknowledged: ack,
        lossMs: lossOf(sighting, nowMs),
      };
    },
  };
}

const hasEnded = ({ status }: RunRecord) => status === 'done' || status === 'failed' || status === 'refused';

/** The newest run that changes roles, whoever made it; undefined: there was none. `known`: one that was read before. */
export async function newestRun(
  state: ObjectStore,
  call: Call,
  known?: RunRecord | undefined,
): Promise<RunRecord | undefined> {
  const runs = await listRuns(state, call);
  const name = runs.findLast((run) => changesRoles.some((runbook) => run.includes(`-${runbook}-`)));
  if (name === undefined) return undefined;
  return name === known?.run ? known : recordOf(state, name, call);
}

const recordOf = async (state: ObjectStore, run: string, call: Call) =>
  foldRun((await inspectRun(state, run, call)).entries);

/** How often a run that is gone on with can have been cut off. */
const longest = 20;

async function cutOffOf(state: ObjectStore, newest: RunRecord, call: Call): Promise<CutOffRun | undefined> {
  const [from, to] = [textIn(newest.details, 'from'), textIn(newest.details, 'to')];
  if (from === undefined || to === undefined) return undefined;
  let run: RunRecord | undefined = newest;
  for (let i = 0; run !== undefined && run.pastReturn !== true && i < longest; i++) {
    const before: string | undefined = textIn(run.details, 'resumes');
    run = before === undefined ? undefined : await recordOf(state, before, call);
  }
  return { run: newest.run, from, to, pastReturn: run?.pastReturn === true };
}

/** An automatic failover that has no end, and that nobody asked to stop. Pure. */
export const isCutOff = (run: Pick<RunRecord, 'by' | 'runbook' | 'status' | 'stoppedBy'>): boolean =>
  run.runbook === 'failover' &&
  run.by.startsWith(automaticName) &&
  (run.status === 'running' || run.status === 'interrupted') &&
  run.stoppedBy === undefined;

/** The age of the oldest record that would be lost, by what was last seen of the primary. Pure. */
export function lossOf(sighting: Sighting | undefined, nowMs: number): number | 'unknown' {
  if (sighting === undefined) return 'unknown';
  const topics = Object.keys(sighting.topics);
  const promotedAt = topics.flatMap((topic) =>
    (sighting.topics[topic]?.partitions ?? []).map(({ partition, mirroredEndOffset }) => ({
      topic,
      partition,
      offset: mirroredEndOffset,
    })),
  );
  const outageAtMs = sighting.firstFailureAtMs ?? nowMs;
  const losses = Object.values(estimateLoss({ topics, sighting, promotedAt, outageAtMs, primaryStopped: false }));
  const lost = losses.filter((l) => l.estimatedRecords !== 0);
  if (lost.some((l) => l.ms === null)) return 'unknown';
  return Math.max(0, ...lost.map((l) => l.ms ?? 0));
}
