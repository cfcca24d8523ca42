import { drillOf } from '../../domain/bubble.ts';
import { namesThatFollow } from '../../domain/dns-config.ts';
import { aclKey } from '../../regions/kafka/kafka-acls.ts';
import { isTerminal } from '../../runbooks/failover/standby-job.ts';
import type { DrillSite } from '../bubble-region.ts';
import type { Leak } from '../drill-report.ts';
import type { IsolatedContext } from './context.ts';

/**
 * What is there that a drill could leave, or change: by kind and name. `unknown`: nobody answered for this name and type
 * of a DNS record.
 */
export type Inventory = readonly (Leak & { readonly unknown?: true })[];

/** All that has a name of some drill's in a region, with the run that it is of. */
export async function drillThings(
  { kafka, objects, flink, deployments }: Pick<DrillSite, 'kafka' | 'objects' | 'flink' | 'deployments'>,
  signal: AbortSignal,
): Promise<readonly (Leak & { readonly run: string })[]> {
  const [topics, groups, listed, jobs, made, uploads] = await Promise.all([
    kafka.describeTopics(undefined, { signal }),
    kafka.listGroups({ signal }),
    objects.list('argus/drills/', { signal }),
    flink.list({ signal }),
    deployments?.list({ signal }) ?? [],
    flink.uploads?.({ signal }) ?? [],
  ]);
  const of = (kind: 'topic' | 'group' | 'object' | 'flinkJob' | 'kubernetes', names: Iterable<string>) =>
    [...names].flatMap((name) => {
      const run = drillOf(kind, name);
      return run === undefined ? [] : [{ kind, name, run }];
    });
  return [
    ...of('topic', topics.keys()),
    ...of('group', groups),
    ...of(
      'object',
      listed.objects.map(({ key }) => key),
    ),
    ...of(
      'flinkJob',
      jobs.filter((job) => !isTerminal(job)).map(({ id }) => id),
    ),
    ...of('kubernetes', made),
    ...uploads.flatMap(({ id, jobId }) => {
      const run = drillOf('flinkJob', jobId);
      return run === undefined ? [] : [{ kind: 'jar' as const, name: id, run }];
    }),
  ];
}

/**
 * What there is of drills in the standby, and what else a drill could change without having made it: the rules and limits
 * of its principal, and the names. Each rule, limit and record counts with its value, so that a changed one shows. No
 * drill depends on the names' providers: one that doesn't answer leaves a mark.
 */
export async function takeInventory(
  { config, standby, records }: Pick<IsolatedContext, 'config' | 'standby' | 'records'>,
  signal: AbortSignal,
): Promise<Inventory> {
  const { kafka, principal } = standby;
  const [things, acls, quotas, names] = await Promise.all([
    drillThings(standby, signal),
    principal === undefined ? [] : kafka.listAcls({ principal }, { signal }),
    principal === undefined ? new Map<string, number>() : kafka.describeQuotas(principal, { signal }),
    Promise.all(
      namesThatFollow(config.dns).map(async ({ name, type }): Promise<Inventory> => {
        const asked = `${name} ${type}`;
        try {
          const found = await records.find(name, type, { signal });
          return found.map(({ content }) => ({ kind: 'dns', name: `${asked} ${content}` }));
        } catch {
          signal.throwIfAborted();
          return [{ kind: 'dns', name: asked, unknown: true }];
        }
      }),
    ),
  ]);
  return [
    ...things.map(({ kind, name }) => ({ kind, name })),
    ...(acls ?? []).map((acl) => ({ kind: 'acl' as const, name: aclKey(acl) })),
    ...[...quotas].map(([key, value]) => ({ kind: 'quota' as const, name: `${principal} ${key}=${value}` })),
    ...names.flat(),
  ];
}

/** What is there and was not before. Of what nobody answered for, before or after, nothing is said. Pure. */
export function leaksBetween(before: Inventory, after: Inventory): readonly Leak[] {
  const had = new Set(before.map(({ kind, name }) => `${kind} ${name}`));
  const unknown = [...notAsked(before), ...notAsked(after)];
  return after.filter(
    ({ kind, name }) =>
      !had.has(`${kind} ${name}`) &&
      !(kind === 'dns' && unknown.some((asked) => name === asked || name.startsWith(`${asked} `))),
  );
}

/** DNS names, with their types, that nobody answered for. Pure. */
const notAsked = (inventory: Inventory) => inventory.flatMap(({ name, unknown }) => (unknown ? [name] : []));

/** How many of each kind there are, for the journal, and which names nobody answered for. Pure. */
export function countKinds(inventory: Inventory): {
  readonly counts: Readonly<Record<string, number>>;
  readonly dnsNotAsked?: readonly string[];
} {
  const counts: Record<string, number> = {};
  for (const { kind, unknown } of inventory) if (!unknown) counts[kind] = (counts[kind] ?? 0) + 1;
  const dnsNotAsked = notAsked(inventory);
  return { counts, ...(dnsNotAsked.length === 0 ? {} : { dnsNotAsked }) };
}
