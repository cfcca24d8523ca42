import type { AutomaticView } from '../health/decide-automatic.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { estimateLoss } from '../replication/topics/estimate-loss.ts';
import { readAutomaticAck } from '../state/decisions.ts';
import { inspectRun, listRuns } from '../state/journal.ts';
import { readLease } from '../state/lease.ts';
import { foldRun, type RunRecord } from '../state/run-record.ts';
import { readSighting, type Sighting } from '../state/sightings.ts';
import { watchLease } from './lease-watch.ts';

/** Whoever acts without a person calls himself so, with his host after it. */
export const automaticName = 'argus automatic';

type Facts = Pick<AutomaticView, 'lossMs' | 'lastRunAtMs' | 'acknowledgedAtMs' | 'cutOff' | 'acting'>;

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

  async function acting(monotonicMs: number, call: Call): Promise<string | undefined> {
    const held = await readLease(state, call);
    return lives(held, monotonicMs) ? `${held.holder} (${held.purpose})` : undefined;
  }

  return {
    async read(primary, { nowMs, monotonicMs }, call) {
      const [who, run, ack, sighting] = await Promise.all([
        acting(monotonicMs, call),
        newestRun(state, call),
        readAutomaticAck(state, call),
        readSighting(state, primary, call),
      ]);
      return {
        acting: who,
        lastRunAtMs: run?.startedAtMs,
        cutOff: run && isCutOff(run) ? run.run : undefined,
        acknowledgedAtMs: ack?.atMs,
        lossMs: lossOf(sighting, nowMs),
      };
    },
  };
}

async function newestRun(state: ObjectStore, call: Call): Promise<RunRecord | undefined> {
  const runs = await listRuns(state, call);
  const name = runs.findLast((run) => changesRoles.some((runbook) => run.includes(`-${runbook}-`)));
  return name === undefined ? undefined : foldRun((await inspectRun(state, name, call)).entries);
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
