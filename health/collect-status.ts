import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Names, Region } from '../regions/region.ts';
import { REPLICA_ROOT } from '../replication/checkpoints/locations.ts';
import { listReplica } from '../replication/checkpoints/replica.ts';
import { freezeInForce } from '../state/freeze.ts';
import { listRuns, readRun } from '../state/journal.ts';
import { readRoles } from '../state/roles.ts';
import { foldRun } from '../state/run-record.ts';
import { readSighting } from '../state/sightings.ts';
import { type ProbeOf, probe } from './probe.ts';
import { probeRecords, probeResolver } from './probes/dns.ts';
import { probeFlink } from './probes/flink.ts';
import { probeKafka } from './probes/kafka.ts';
import { probeObjects } from './probes/objects.ts';
import type { RegionFacts, RunSummary, StatusFacts } from './status-facts.ts';

export interface StatusSources {
  readonly config: Config;
  readonly regions: readonly Region[];
  readonly names: Names;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** A running process writes to its journal at least this often, or it is taken for dead: its run counts as interrupted. */
const silentRunMs = 120_000;

/** Looks at everything at once, each look bounded by its own 2 s, so that a frozen region delays nothing. Never throws. */
export async function collectStatus(sources: StatusSources): Promise<StatusFacts> {
  const { config, clock, state, names, signal } = sources;
  const options = { clock, ...(signal ? { signal } : {}) };
  const jobs = config.jobs.map((j) => j.name);
  const first = config.dns.records[0];
  const look = <T>(act: (call: { readonly signal: AbortSignal }) => Promise<T>) => probe(act, options);

  const roles = look((call) => readRoles(state, call));
  // Which region is primary decides which sighting and which replica count; both are read for both regions at once.
  const [role, regions, sightings, replicas, answers, dnsApi, frozenBy, runs] = await Promise.all([
    roles,
    Promise.all(sources.regions.map((r) => regionFacts(r, config, options))),
    Promise.all(
      sources.regions.map(async (r) => [r.name, await look((call) => readSighting(state, r.name, call))] as const),
    ),
    Promise.all(
      sources.regions.flatMap((r) =>
        jobs.map(async (job) => ({ region: r.name, job, newest: await look((call) => newestPoint(r, job, call)) })),
      ),
    ),
    Promise.all(
      config.dns.records.flatMap((record) =>
        names.resolvers.map(async (resolver) => ({
          name: record.name,
          resolver: resolver.server,
          answer: await probeResolver(resolver, record.name, record.type, options),
        })),
      ),
    ),
    first
      ? probeRecords(names.records, first.name, first.type, options)
      : Promise.resolve({ status: 'ok' as const, latencyMs: 0 }),
    look(async (call) => {
      const now = await readRoles(state, call);
      return now && now.replication === 'active' ? (await freezeInForce(state, now.epoch, call))?.run : undefined;
    }),
    look((call) => recentRuns(state, clock.now(), call)),
  ]);
  const { primary, standby } = role.value ?? config.roles;
  return {
    nowMs: clock.now(),
    topics: config.topics,
    jobs,
    objectives: config.objectives,
    roles: role,
    configuredRoles: config.roles,
    regions,
    addresses: Object.fromEntries(sources.regions.map((r) => [r.name, r.address])),
    names: answers,
    dnsApi,
    sighting: new Map(sightings).get(primary) ?? { status: 'ok', latencyMs: 0 },
    replica: replicas.filter((r) => r.region === standby),
    ...(frozenBy.value === undefined ? {} : { frozenBy: frozenBy.value }),
    runs: runs.value ?? [],
  };
}

async function regionFacts(
  region: Region,
  config: Config,
  options: Parameters<typeof probeKafka>[2],
): Promise<RegionFacts> {
  const [kafka, objects, flink] = await Promise.all([
    probeKafka(region.kafka, config.topics, options),
    probeObjects(region.objects, REPLICA_ROOT, options),
    probeFlink(
      region.flink,
      config.jobs.map((j) => j.name),
      options,
    ),
  ]);
  return { name: region.name, kafka, objects: withoutValue(objects), flink };
}

async function newestPoint(region: Region, job: string, call: { readonly signal: AbortSignal }) {
  const { points } = await listReplica(region.objects, job, { ...call, limit: 3 });
  const newest = points[0]?.manifest;
  return newest && { checkpointId: newest.checkpointId, completedAtMs: newest.completedAtMs };
}

/** The newest few runs, newest first. */
async function recentRuns(
  state: ObjectStore,
  nowMs: number,
  call: { readonly signal: AbortSignal },
): Promise<readonly RunSummary[]> {
  const newest = (await listRuns(state, call)).slice(-3).reverse();
  const records = await Promise.all(newest.map(async (run) => foldRun(await readRun(state, run, call))));
  return records.flatMap((r): RunSummary[] => {
    if (!r) return [];
    const silent = r.status === 'running' && nowMs - r.lastAtMs > silentRunMs;
    const running = r.status === 'running' && !silent;
    const stateOf = running
      ? 'running'
      : r.status === 'interrupted' || silent
        ? 'interrupted'
        : r.status === 'done'
          ? 'done'
          : 'failed';
    return [{ id: r.run, kind: r.runbook, state: stateOf, startedAtMs: r.startedAtMs }];
  });
}

function withoutValue<T>({ value: _, ...rest }: ProbeOf<T>) {
  return rest;
}
