import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, partitionsOf } from '../../domain/offsets.ts';
import { planReseed, type ReseedSide, reseedTopic } from '../topics/reseed.ts';
import { type KeptRanges, notKept } from './guard.ts';

/**
 * Deletes the old primary's topic and makes it anew, empty, so that it can be mirrored whole: the one place where a
 * failback deletes records. Before that both logs are compared from end to end, and everything that the old primary alone
 * has must be among what is kept and verified. `NotRescued` (exit code 3) otherwise, or when a log changed meanwhile:
 * nothing is deleted then, and the next run rescues what is new.
 */
export async function beginAnew(
  active: ReseedSide,
  old: ReseedSide,
  topic: string,
  kept: readonly KeptRanges[],
  mayAct: () => void,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const before = await edges(active, old, topic, options.signal);
  const plan = await planReseed(active, old, topic, options);
  const [open] = notKept(plan.losses, kept);
  if (open) {
    throw notRescued(
      `${old.name} alone has ${topic}-${open.partition} [${open.from}, ${open.to}), which is not kept: ${open.why}`,
    );
  }
  const after = await edges(active, old, topic, options.signal);
  const moved = [...after].find(([key, value]) => before.get(key) !== value);
  if (moved) throw notRescued(`${moved[0]} changed while it was looked at (${before.get(moved[0])}, now ${moved[1]})`);
  await reseedTopic(old, plan, mayAct, options);
}

/** What must stay as it is from the comparison to the deletion: where the old log ends, and where the active one begins. */
async function edges(
  active: ReseedSide,
  old: ReseedSide,
  topic: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const side of [active, old]) {
    const there = (await side.kafka.describeTopics([topic], { signal })).get(topic);
    if (!there) continue;
    for (const range of await side.kafka.logRanges(partitionsOf([there]), { signal })) {
      const edge = side === old ? `ends at ${range.logEndOffset}` : `begins at ${range.logStartOffset}`;
      found.set(`${partitionKey(range)} in ${side.name}`, edge);
    }
  }
  return found;
}

const notRescued = (message: string) =>
  new ArgusError('NotRescued', message, {
    exitCode: 3,
    hint: 'nothing was deleted; run `argus failback` again: it rescues what is new',
  });
