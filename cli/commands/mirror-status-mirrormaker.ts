import { partitionsOf } from '../../domain/offsets.ts';
import type { Roles } from '../../domain/roles.ts';
import { formatMs } from '../../health/render-status.ts';
import { type MirrorMakerHealth, mirrorMakerHealth } from '../../replication/mirrormaker/health.ts';
import { sightMirrorMaker } from '../../replication/mirrormaker/watch.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { openMirrorMaker } from '../mirrormaker.ts';

/** `argus mirror status` with MirrorMaker 2: connectors, heartbeat, lag by its syncs. Exit code 1 when something is wrong. */
export async function mirrorMakerStatus(
  context: CommandContext,
  composition: Composition,
  roles: Roles,
): Promise<number> {
  const work = await openMirrorMaker(context, composition, roles);
  const described = await work.primary.kafka.describeTopics(composition.config.topics, { signal: context.signal });
  const sight = await sightMirrorMaker(work.sides, {
    connect: work.connect,
    connectors: work.connectors,
    partitions: partitionsOf(described.values()),
    stalledAfterMs: work.section.stalledAfter,
  });
  const health = mirrorMakerHealth(sight);
  if (context.json) {
    const document = { engine: 'mirrormaker2', roles, connectors: sight.connectors, ...health };
    context.print(JSON.stringify(document, bigintAsText));
  } else for (const line of asText(health)) context.print(line);
  return health.healthy ? 0 : 1;
}

function asText({ lags, heartbeatMs, problems }: MirrorMakerHealth): readonly string[] {
  return [
    ...lags.map((l) => {
      const where = `${l.topic}-${l.partition}`;
      if (l.lagRecords === undefined) return `${where}: lag unknown, no sync seen`;
      const time = l.lagMs ? `, newest sync ${formatMs(l.lagMs)} ago` : '';
      return `${where}: ${l.exact ? '' : 'at most '}${l.lagRecords} records behind${time} (by MirrorMaker's syncs)`;
    }),
    ...(heartbeatMs === undefined ? [] : [`heartbeat: ${formatMs(heartbeatMs)} ago`]),
    ...problems.map((p) => `${p.code}: ${p.message}`),
  ];
}
