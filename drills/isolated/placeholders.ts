import type { Bubble } from '../../domain/bubble.ts';

/** What a job's placeholders become, besides its topics. */
export interface DrillNames {
  readonly group: string;
  readonly transactionalIdPrefix: string;
  /** URI. */
  readonly checkpoints: string;
}

/** Puts names of a drill in the place of placeholders, and remembers which there were. */
export interface Filler {
  fill(text: string): string;
  /** As they are written: `{group}`. */
  readonly used: ReadonlySet<string>;
  /** Drill topics by the production topics that they are in place of. */
  readonly topics: ReadonlyMap<string, string>;
}

/** `{topic:<name>}`, `{group}`, `{transactionalIdPrefix}` and `{checkpoints}`. */
export const placeholder = /\{(?:topic:([A-Za-z0-9._-]+)|(group|transactionalIdPrefix|checkpoints))\}/g;

/** Fills a job's placeholders in one drill. */
export function filler(bubble: Bubble, names: DrillNames): Filler {
  const used = new Set<string>();
  const topics = new Map<string, string>();
  return {
    used,
    topics,
    fill: (text) =>
      text.replace(placeholder, (whole, topic: string | undefined, other: keyof DrillNames) => {
        used.add(whole);
        if (topic === undefined) return names[other];
        const name = bubble.topic(topic);
        topics.set(topic, name);
        return name;
      }),
  };
}

/** What a job has to be told for it to write nothing of production's, and is not. Pure. */
export function lackingPlaceholders(writes: readonly string[], used: ReadonlySet<string>): readonly string[] {
  const needed = ['{group}', ...writes.map((topic) => `{topic:${topic}}`)];
  if (writes.length > 0) needed.push('{transactionalIdPrefix}');
  return needed.filter((each) => !used.has(each));
}
