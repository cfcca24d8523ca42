import { Registry } from 'prom-client';
import { type CheckpointFacts, checkpointSeries } from './metrics/checkpoint-series.ts';
import { type EventCounters, eventCounters } from './metrics/counters.ts';
import { type DrillFacts, drillSeries } from './metrics/drill-series.ts';
import { gaugesOf } from './metrics/gauges.ts';
import { type MirrorFacts, mirrorSeries } from './metrics/mirror-series.ts';
import { processSeries } from './metrics/process-series.ts';
import { type RunFacts, runSeries } from './metrics/run-series.ts';
import { type StandingFacts, standingSeries } from './metrics/standing-series.ts';

/** What the daemon knows at the moment of a scrape; absent parts leave their series out. */
export type MetricsFacts = MirrorFacts & CheckpointFacts & StandingFacts & RunFacts & DrillFacts;

/** What a service adds. */
type AddedFacts = StandingFacts & RunFacts & DrillFacts;

/** The daemon's metrics: facts are asked for at each scrape, events are counted as they happen. */
export interface Metrics extends EventCounters {
  /** Prometheus' text format of the facts given, of those that `also` adds, and of the counters. */
  render(facts: MetricsFacts): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Adds what a service knows, asked at each scrape, until the returned function is called. One that throws is left out of that scrape. */
  also(source: () => AddedFacts): () => void;
}

/** A registry of its own, so that two in one process never meet. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const gauges = gaugesOf(registry);
  const tell = [mirrorSeries, checkpointSeries, standingSeries, runSeries, drillSeries].map((make) => make(gauges));
  processSeries(registry);
  const sources = new Set<() => AddedFacts>();
  return {
    ...eventCounters(registry),
    async render(own) {
      const facts: MetricsFacts = Object.assign({}, own, ...[...sources].map(answerOf));
      gauges.clear();
      for (const set of tell) set(facts);
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    also(source) {
      sources.add(source);
      return () => void sources.delete(source);
    },
  };
}

function answerOf(source: () => AddedFacts): AddedFacts {
  try {
    return source();
  } catch {
    // Whatever it could not tell is left out: the other series must be told all the same.
    return {};
  }
}
