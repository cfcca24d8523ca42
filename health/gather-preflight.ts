import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { namesThatFollow } from '../domain/dns-config.ts';
import { ArgusError } from '../domain/errors.ts';
import type { KubernetesApi } from '../regions/kubernetes/kubernetes-api.ts';
import { storeClock } from '../regions/objects/store-clock.ts';
import type { Names, Region } from '../regions/region.ts';
import { REPLICA_ROOT } from '../replication/checkpoints/locations.ts';
import type { Sighting } from '../state/sightings.ts';
import { type PreflightFacts, type PreflightPurpose, type PreflightRegion, preflightNeeds } from './preflight.ts';
import { type ProbeOptions, probe } from './probe.ts';
import { probeRecords, probeResolver } from './probes/dns.ts';
import { probeKafka } from './probes/kafka.ts';
import { probeObjects } from './probes/objects.ts';

export interface PreflightSources {
  /** What no such command needs isn't looked at. */
  readonly purpose: PreflightPurpose;
  readonly config: Config;
  readonly primary: Region;
  readonly standby: Region;
  readonly names: Names;
  /** Where the jar of each job lies on this machine. */
  readonly jars: readonly { readonly job: string; readonly path: string }[];
  readonly sighting: Sighting | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** For the primary, 5 s by default; shorter where it may be dead and time counts. */
  readonly primaryDeadlineMs?: number;
}

/** Looks at everything that a command may need, all at once, each within its deadline. Changes nothing, never throws. */
export async function gatherPreflight(sources: PreflightSources): Promise<PreflightFacts> {
  const { config, names, clock, signal, purpose } = sources;
  const need = preflightNeeds[purpose];
  const options: ProbeOptions = { clock, deadlineMs: 5_000, ...(signal ? { signal } : {}) };
  const record = namesThatFollow(config.dns)[0];
  const region = async (r: Region, wanted: (typeof need)['primary'], deadlineMs: number): Promise<PreflightRegion> => {
    const bounded = { ...options, deadlineMs };
    const endpoint = config.regions[r.name]?.objects.endpoint;
    const [kafka, objects, kubernetes, flink, objectsClock] = await Promise.all([
      wanted.kafka ? probeKafka(r.kafka, config.topics, bounded) : notAsked,
      wanted.objects ? probeObjects(r.objects, REPLICA_ROOT, bounded) : notAsked,
      r.kubernetes && wanted.kubernetes ? probeKubernetes(r.kubernetes, bounded) : undefined,
      wanted.flink
        ? probe((call) => (r === sources.standby ? tried(r, call) : r.flink.slots(call)), bounded)
        : notAsked,
      wanted.objects && endpoint && storeClock(endpoint, { now: () => clock.now(), ...(signal ? { signal } : {}) }),
    ]);
    return {
      name: r.name,
      kafka,
      objects,
      flink,
      ...(kubernetes && { kubernetes }),
      ...(objectsClock && { objectsClock }),
    };
  };
  const [primary, standby, dnsApi, resolvers, jars] = await Promise.all([
    region(sources.primary, need.primary, sources.primaryDeadlineMs ?? 5_000),
    region(sources.standby, need.standby, 5_000),
    record && need.dns ? probeRecords(names.records, record.name, record.type, options) : notAsked,
    Promise.all(
      (need.dns ? names.resolvers : []).map(async (resolver) => ({
        server: resolver.server,
        probe: await probeResolver(resolver, record?.name ?? '', 'A', options),
      })),
    ),
    Promise.all(sources.jars.map(async (jar) => ({ ...jar, probe: await probe(() => readable(jar.path), options) }))),
  ]);
  const sighted = Object.entries(sources.sighting?.topics ?? {}).map(
    ([t, seen]) => [t, seen.partitions.length] as const,
  );
  const sightedPartitions = Object.fromEntries(sighted);
  return {
    primary,
    standby,
    dnsApi,
    resolvers,
    jars,
    topics: config.topics,
    sightedPartitions,
    topicsByPattern: config.topicPatterns !== undefined,
  };
}

const notAsked = { status: 'unknown', latencyMs: 0 } as const;

/** Whether an API server answers, and takes the credentials. */
function probeKubernetes(kubernetes: KubernetesApi, options: ProbeOptions) {
  return probe(async (call) => {
    await kubernetes.version(call);
    await kubernetes.user(call);
  }, options);
}

/** The slots of a region that is to start jobs, once nothing stands against it. */
async function tried({ flink }: Region, call: Parameters<Region['flink']['slots']>[0]) {
  await flink.check?.(call);
  return flink.slots(call);
}

/** Throws `JobJarUnreadable` when the jar at this path can't be read on this machine. */
export async function readable(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    throw new ArgusError('JobJarUnreadable', `${path} can't be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      hint: 'correct jobs[].submit.jar, or put the jar there: Argus brings it to the standby itself',
    });
  }
}
