import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import type { Roles } from '../domain/roles.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Names, Region } from '../regions/region.ts';
import { unlessActed, watchActing } from '../state/acting-watch.ts';
import { readRoles } from '../state/roles.ts';
import { type Probe, probe } from './probe.ts';
import { judgeAnswers, probeResolver } from './probes/dns.ts';
import { probeIngress } from './probes/ingress.ts';
import { probeKubernetes } from './probes/kubernetes.ts';
import { type RegionProbeLinks, regionTasks } from './region-tasks.ts';
import { type ProbeTask, sightOf } from './sight.ts';

export interface ProbeTaskParts {
  /** Who looks: the name of its canaries. */
  readonly observer: string;
  readonly config: Pick<Config, 'topics' | 'jobs' | 'dns' | 'probes' | 'roles' | 'regions' | 'state'>;
  readonly regions: readonly Region[];
  readonly names: Names;
  readonly state: ObjectStore;
  readonly links: RegionProbeLinks;
  readonly clock: Clock;
}

/** How often what changes slowly is asked. */
const slowPeriodMs = 10_000;

/** Everything that an observer looks at by itself. */
export function probeTasks(parts: ProbeTaskParts): readonly ProbeTask[] {
  const { config, regions, names, state, clock } = parts;
  const { period: periodMs, deadline: deadlineMs } = config.probes;
  // The state is asked each time, the roles are read when somebody may have changed them.
  const rolesNow = unlessActed({ acting: watchActing(state, clock), clock }, (call) => readRoles(state, call));
  let roles: Pick<Roles, 'primary' | 'standby'> = config.roles;
  const options = (signal: AbortSignal) => ({ clock, deadlineMs, signal });

  const ofState: ProbeTask = {
    name: 'state',
    periodMs: periodMs * 2,
    async look({ signal }) {
      const seen = await probe(rolesNow, options(signal));
      roles = seen.value ?? roles;
      return [sightOf({ probe: 'state' }, seen)];
    },
  };
  const ofNames: ProbeTask = {
    name: 'dns',
    periodMs: slowPeriodMs,
    async look({ signal }) {
      const asked = config.dns.records.flatMap(({ name, type }) =>
        names.resolvers.map(async (resolver) => ({
          name,
          resolver: resolver.server,
          answer: await probeResolver(resolver, name, type, options(signal)),
        })),
      );
      return judgeAnswers(await Promise.all(asked)).map(({ name, resolver, judged }) =>
        sightOf({ probe: 'dns', subject: `${name}@${resolver}` }, judged),
      );
    },
  };
  const simple = regions.flatMap((region): ProbeTask[] => {
    const { name, kubernetes } = region;
    const url = config.probes.ingress[name];
    const one = (kind: 'kubernetes' | 'ingress', look: (signal: AbortSignal) => Promise<Probe>): ProbeTask => ({
      name: `${kind} ${name}`,
      periodMs,
      look: async ({ signal }) => [sightOf({ probe: kind, region: name }, await look(signal))],
    });
    return [
      ...(kubernetes ? [one('kubernetes', (signal) => probeKubernetes(kubernetes, options(signal)))] : []),
      ...(url === undefined ? [] : [one('ingress', (signal) => probeIngress(url, options(signal)))]),
    ];
  });
  const perRegion = regions.flatMap((region) => regionTasks(parts, region, () => roles.primary));
  return [ofState, ...perRegion, ...simple, ofNames];
}
