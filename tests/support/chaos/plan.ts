export type ChaosSide = 'source' | 'standby';

/** What is done to a mirror, its brokers or its links. */
export type Disturbance =
  /** `early`: whatever it is at; else so long after it has mirrored something. */
  | {
      readonly kind: 'kill-mirror';
      readonly early: boolean;
      readonly afterMs: number;
      readonly smallFetches: boolean;
    }
  | { readonly kind: 'kill-broker'; readonly side: ChaosSide; readonly downMs: number }
  | { readonly kind: 'cut'; readonly side: ChaosSide; readonly forMs: number }
  | { readonly kind: 'delay'; readonly side: ChaosSide; readonly delayMs: number; readonly forMs: number };

export interface ChaosCounts {
  readonly mirrorKills: number;
  readonly brokerKills: number;
  readonly cuts: number;
  readonly delays: number;
  /** The mean time from one kill of the mirror to the next; all of it lasts `mirrorKills` times as long. */
  readonly everyMs: number;
}

export interface Planned {
  readonly atMs: number;
  readonly what: Disturbance;
}

/** Numbers in [0, 1) that depend on nothing but the seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** When what happens, in order: as many of each kind as wanted, each at random within its share of the time. */
export function planChaos(seed: number, counts: ChaosCounts): readonly Planned[] {
  const random = seeded(seed);
  const between = (from: number, to: number) => Math.floor(from + random() * (to - from));
  const lastMs = counts.mirrorKills * counts.everyMs;
  const spread = (count: number, make: (i: number) => Disturbance): Planned[] =>
    Array.from({ length: count }, (_, i) => {
      const share = lastMs / count;
      return { atMs: Math.floor(share * i + random() * share), what: make(i) };
    });
  const first = between(0, 2);
  const side = (i: number): ChaosSide => ((i + first) % 2 === 0 ? 'source' : 'standby');
  return [
    ...spread(counts.mirrorKills, () => ({
      kind: 'kill-mirror',
      early: random() < 0.3,
      afterMs: between(0, 700),
      smallFetches: random() < 0.5,
    })),
    ...spread(counts.brokerKills, (i) => ({ kind: 'kill-broker', side: side(i), downMs: between(100, 1_500) })),
    ...spread(counts.cuts, (i) => ({ kind: 'cut', side: side(i + 1), forMs: between(500, 5_000) })),
    ...spread(counts.delays, (i) => ({
      kind: 'delay',
      side: side(i),
      delayMs: between(20, 400),
      forMs: between(1_000, 5_000),
    })),
  ].sort((a, b) => a.atMs - b.atMs);
}
