/** One topic's lag over time; the newest is the last. */
export interface LagSeries {
  readonly topic: string;
  /** Undefined where nobody could tell. */
  readonly points: readonly { readonly atMs: number; readonly lagMs: number | undefined }[];
}

/** How far the mirror was behind lately. Bounded, however many topics there are and however long it runs. */
export interface LagHistory {
  /** Notes the lags of now; more often than its period it does nothing, and gives false. */
  note(atMs: number, lags: Readonly<Record<string, number | undefined>>): boolean;
  /** Those with the largest lag first. */
  series(): readonly LagSeries[];
}

/** Keeps `keep` samples of each of the first `topics` topics. By default an hour. */
export function lagHistory({ periodMs = 15_000, keep = 240, topics = 50 } = {}): LagHistory {
  const times: number[] = [];
  const byTopic = new Map<string, (number | undefined)[]>();
  return {
    note(atMs, lags) {
      const last = times.at(-1);
      if (last !== undefined && atMs - last < periodMs) return false;
      times.push(atMs);
      for (const topic of Object.keys(lags)) {
        if (byTopic.has(topic) || byTopic.size >= topics) continue;
        byTopic.set(topic, new Array(times.length - 1).fill(undefined));
      }
      for (const [topic, values] of byTopic) values.push(lags[topic]);
      if (times.length > keep) {
        times.shift();
        for (const [topic, values] of byTopic) {
          values.shift();
          // One that is gone gives its place to another.
          if (values.every((v) => v === undefined)) byTopic.delete(topic);
        }
      }
      return true;
    },
    series() {
      const worst = (values: readonly (number | undefined)[]) => Math.max(-1, ...values.map((v) => v ?? -1));
      return [...byTopic]
        .map(([topic, values]) => ({ topic, values, worst: worst(values) }))
        .toSorted((a, b) => b.worst - a.worst || (a.topic < b.topic ? -1 : 1))
        .map(({ topic, values }) => ({
          topic,
          points: times.map((atMs, i) => ({ atMs, lagMs: values[i] })),
        }));
    },
  };
}
