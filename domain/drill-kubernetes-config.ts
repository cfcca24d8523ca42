import { z } from 'zod';
import { namespaceName } from './flink-kubernetes-config.ts';

/** `jobs[].drill.kubernetes.<region>`: where the Flink operator runs a job in a drill, and what of. */
export const drillDeployment = z.strictObject({
  /** A namespace for drills alone: none in which production has a job. */
  namespace: namespaceName,
  /**
   * File with one FlinkDeployment. `{topic:<name>}`, `{group}`, `{transactionalIdPrefix}` and `{checkpoints}` become names
   * of the drill, and so does its own name.
   */
  manifest: z.string().min(1),
});

type Places = Readonly<Record<string, { readonly namespace: string }>> | undefined;

interface DrillPlaces {
  readonly regions: Readonly<Record<string, { readonly flink: { readonly kubernetes?: unknown } }>>;
  readonly jobs: readonly {
    readonly kubernetes?: Places;
    readonly drill?: { readonly kubernetes?: Places } | undefined;
  }[];
}

/** What stands against the namespaces that drills are to take place in. */
export function drillGaps({
  regions,
  jobs,
}: DrillPlaces): readonly { readonly path: (string | number)[]; readonly message: string }[] {
  // Of whatever region: two may be two namespaces of one cluster.
  const taken = new Set(jobs.flatMap(({ kubernetes = {} }) => Object.values(kubernetes).map((p) => p.namespace)));
  return jobs.flatMap(({ drill }, i) =>
    Object.entries(drill?.kubernetes ?? {}).flatMap(([region, { namespace }]) => {
      const path = ['jobs', i, 'drill', 'kubernetes', region];
      const there = regions[region];
      if (there === undefined) return [{ path, message: `no region is called "${region}"` }];
      if (there.flink.kubernetes === undefined) {
        return [{ path, message: `regions.${region} has no flink.kubernetes: drills use drill.args there` }];
      }
      if (!taken.has(namespace)) return [];
      const message = `"${namespace}" is production's: drills need a namespace of their own`;
      return [{ path: [...path, 'namespace'], message }];
    }),
  );
}
