import type { Roles } from '../../domain/roles.ts';
import { lookOf } from '../../drills/faults/look.ts';
import type { FaultEyes } from '../../drills/faults/ports.ts';
import { collectStatus } from '../../health/collect-status.ts';
import { verifyTopics } from '../../replication/topics/verify.ts';
import { readStanding } from '../../state/decisions.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';

const standingMs = 2_000;

/** So many ranges of each side are compared behind a fault, at random. */
const sample = 50;

/** Looks as `argus status` does, with the daemon's word on top; compares as `argus mirror verify` does. */
export function faultEyes(
  { clock }: Pick<CommandContext, 'clock'>,
  composition: Composition,
  roles: Pick<Roles, 'primary' | 'standby'>,
): FaultEyes {
  const { config, regions, names, state } = composition;
  return {
    async look(signal) {
      const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(standingMs)]) };
      const [facts, standing] = await Promise.all([
        collectStatus({ config, regions: [...regions.values()], names, state, clock, signal }),
        // A state that can't be read is told by the status itself.
        readStanding(state, call).catch(() => undefined),
      ]);
      return lookOf(facts, standing);
    },
    async compare(signal) {
      if (config.mirror.engine !== 'argus')
        return { kind: 'skipped', why: 'MirrorMaker’s copy has other offsets: there is nothing to compare' };
      const [primary, standby] = [regions.get(roles.primary), regions.get(roles.standby)];
      if (!primary || !standby) return { kind: 'skipped', why: 'a region is not configured' };
      const [here, there] = await Promise.all(
        [primary, standby].map((side) => side.kafka.describeTopics(config.topics, { signal })),
      );
      const partitions = config.topics.flatMap((topic) => {
        const count = Math.min(here?.get(topic)?.partitions ?? 0, there?.get(topic)?.partitions ?? 0);
        return Array.from({ length: count }, (_, partition) => ({ topic, partition }));
      });
      const compacted = new Set<string>();
      for (const topic of config.topics) {
        const configs = await standby.kafka.topicConfigs(topic, { signal });
        if (configs.get('cleanup.policy')?.includes('compact')) compacted.add(topic);
      }
      const [source, target] = [primary.brokers, standby.brokers];
      const ranges = await verifyTopics({ source, target, partitions, compacted, sample, clock, signal });
      const records = Number(ranges.reduce((sum, r) => sum + r.records, 0n));
      const different = ranges.find((r) => r.difference !== undefined);
      if (different?.difference === undefined) return { kind: 'compared', records };
      const { topic, partition, difference } = different;
      const sentence = `${topic}-${partition} differs at ${difference.offset}: ${difference.what}`;
      return { kind: 'compared', records, difference: sentence };
    },
  };
}
