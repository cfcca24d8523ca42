import { type Gauges, seconds } from './gauges.ts';

/** What a scrape tells of the runs in the journal. */
export interface RunFacts {
  readonly runs?: {
    /** By runbook, the newest that was carried out. */
    readonly last: readonly {
      readonly runbook: string;
      readonly endedAtMs: number;
      readonly rtoMs?: number;
      readonly lostRecords?: number;
    }[];
    /** Of those whose journal has no end: how many, and since when the one that was silent longest is. */
    readonly unfinished: number;
    readonly silentSinceMs?: number;
  };
}

/** Adds the gauges of runs; the function given sets them. */
export function runSeries({ gauge }: Gauges): (facts: RunFacts) => void {
  const lastAt = gauge('argus_run_last_timestamp', 'When the newest run that was carried out ended, in Unix seconds.', [
    'runbook',
  ]);
  const rto = gauge('argus_run_last_rto_seconds', 'The RTO that it reached.', ['runbook']);
  const lost = gauge('argus_run_last_lost_records', 'Records that were lost in it, as far as it could tell.', [
    'runbook',
  ]);
  const unfinished = gauge(
    'argus_runs_unfinished',
    'Runs whose journal has no end: at work, or left by a dead process.',
  );
  const silent = gauge('argus_run_silent_timestamp', 'Last entry of the unfinished run that is silent for longest.');

  return ({ runs: facts }) => {
    if (!facts) return;
    for (const { runbook, endedAtMs, rtoMs, lostRecords } of facts.last) {
      lastAt.set({ runbook }, seconds(endedAtMs));
      if (rtoMs !== undefined) rto.set({ runbook }, seconds(rtoMs));
      if (lostRecords !== undefined) lost.set({ runbook }, lostRecords);
    }
    unfinished.set(facts.unfinished);
    if (facts.silentSinceMs !== undefined) silent.set(seconds(facts.silentSinceMs));
  };
}
