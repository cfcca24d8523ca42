import type { Divergence, OffsetRange } from '../../replication/orphans/divergence.ts';
import { hashOf, type PlanBasis } from '../plan/plan-file.ts';
import type { FailbackContext } from './context.ts';

/**
 * What a failback's plan relies on: it is not carried out when any of it has changed. Not what the active side's
 * retention deletes meanwhile: that grows by itself, and all that the old primary alone has is kept. Pure.
 */
export function failbackBasis(
  { config, roles }: Pick<FailbackContext, 'config' | 'roles'>,
  found: readonly Divergence[],
  steps: readonly string[],
): PlanBasis {
  // Which topics a pattern means is told apart.
  const { topics, ...settings } = config;
  const of = Map.groupBy(found, (d) => d.topic);
  return {
    configuration: hashOf(settings).slice(0, 16),
    roles: `epoch ${roles.epoch}, ${roles.primary} active, ${roles.standby} to be mirrored to`,
    steps: steps.join(', '),
    topics: [...topics].sort().join(', '),
    ...Object.fromEntries([...of].map(([topic, list]) => [`logs of ${topic}`, list.map(standing).sort().join(', ')])),
  };
}

const standing = ({ partition, kind, sharedEnd, old, orphans }: Divergence) =>
  `${partition} ${kind} from ${sharedEnd}, ends at ${old.to}${orphans === undefined ? '' : `, orphans ${text(orphans)}`}`;

const text = ({ from, to }: OffsetRange) => `[${from}, ${to})`;
