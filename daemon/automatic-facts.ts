import type { AutomaticView, CutOffRun } from '../health/decide-automatic.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { estimateLoss } from '../replication/topics/estimate-loss.ts';
import { readAutomaticAck } from '../state/decisions.ts';
import { inspectRun, listRuns } from '../state/journal.ts';
import { textIn } from '../state/json-parts.ts';
import { readLease } from '../state/lease.ts';
import { foldRun, type RunRecord } from '../state/run-record.ts';
import { readSighting, type Sighting } from '../state/sightings.ts';
import { watchLease } from './lease-watch.ts';

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
        cutOff: run && (await cutOffOf(state, run, ack?.run, call)),
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

async function cutOffOf(
  state: ObjectStore,
  newest: RunRecord,
  acknowledged: string | undefined,
  call: Call,
): Promise<CutOffRun | undefined> {
  const [from, to] = [textIn(newest.details, 'from'), textIn(newest.details, 'to')];
  if (from === undefined || to === undefined || !mayBeCutOff(newest)) return undefined;
  const chain = [newest];
  for (let run = newest; run.pastReturn !== true && chain.length < longest; ) {
    const name = textIn(run.details, 'resumes');
    const before = name === undefined ? undefined : await recordOf(state, name, call);
    if (before === undefined) break;
    chain.push(before);
    run = before;
  }
  const left = leftBehind(chain);
  if (left === undefined || (left.ended === 'but-jobs' && acknowledged === newest.run)) return undefined;
  return { run: newest.run, from, to, ...left };
}

/** An automatic failover that did not come to its own end, and that nobody asked to stop. Pure. */
export const mayBeCutOff = (run: Pick<RunRecord, 'by' | 'runbook' | 'status' | 'stoppedBy'>): boolean =>
  run.runbook === 'failover' &&
  run.by.startsWith(automaticName) &&
  (run.status === 'running' || run.status === 'interrupted') &&
  run.stoppedBy === undefined;

/**
 * What a run that was cut off left behind, if anything: one that was interrupted short of its point of no return took
 * back what it had begun. `chain`: the run and those that it went on with, the newest first. Pure.
 */
export function leftBehind(
  chain: readonly Pick<RunRecord, 'status' | 'steps' | 'notTakenBack' | 'pastReturn'>[],
): Pick<CutOffRun, 'pastReturn' | 'ended'> | undefined {
  const [newest] = chain;
  if (newest === undefined) return undefined;
  const pastReturn = chain.some((run) => run.pastReturn === true);
  if (newest.status === 'running') return { pastReturn };
  const { steps, notTakenBack = [] } = newest;
  // It came to nothing of its own: what the run before it did stands.
  const untouched = chain.length > 1 && !steps.some((s) => s.status === 'compensated');
  if (pastReturn || notTakenBack.length > 0 || untouched) return { pastReturn, ended: 'with-remains' };
  return chain.some(stoppedJobs) ? { pastReturn, ended: 'but-jobs' } : undefined;
}

/** No run starts them again. */
const stoppedJobs = ({ steps }: Pick<RunRecord, 'steps'>) =>
  steps.some(({ id, status }) => id === 'stop-primary-jobs' && (status === 'done' || status === 'started'));

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
