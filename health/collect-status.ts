import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { namesThatFollow } from '../domain/dns-config.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Names, Region } from '../regions/region.ts';
import { REPLICA_ROOT } from '../replication/checkpoints/locations.ts';
import type { RecoveryPointChoice } from '../replication/recovery-point/choose.ts';
import { askedJob, describeRefusal, findRecoveryPoints } from '../replication/recovery-point/find.ts';
import { type Frozen, firstFrozen, freezeInForce } from '../state/freeze.ts';
import { listRuns, readRun } from '../state/journal.ts';
import { readLease } from '../state/lease.ts';
import { readReadiness } from '../state/readiness.ts';
import { type ReplicaHealth, readReplicaHealth } from '../state/replica-health.ts';
import { readRoles } from '../state/roles.ts';
import { foldRun, type RunRecord } from '../state/run-record.ts';
import { readSighting } from '../state/sightings.ts';
import { type ProbeOf, probe } from './probe.ts';
import { probeRecords, probeResolver } from './probes/dns.ts';
import { probeFlink } from './probes/flink.ts';
import { probeKafka } from './probes/kafka.ts';
import { probeObjects } from './probes/objects.ts';
import type { RegionFacts, RunSummary, StatusFacts, UsableFacts } from './status-facts.ts';

export interface StatusSources {
  readonly config: Config;
  readonly regions: readonly Region[];
  readonly names: Names;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Runs that have ended, kept by whoever looks again and again: nothing follows the end of a run. */
  readonly endedRuns?: Map<string, RunSummary>;
}

interface Call {
  readonly signal: AbortSignal;
}

/** A lease is renewed every few seconds; one that is older, with some difference of the clocks, has lost its holder. */
const silentLeaseMs = 30_000;

/** Of each look: a command that is asked while a region hangs ends within 3 s, its own start and end included. */
const deadlineMs = 1_500;

/** Looks at everything at once, each look bounded by itself, so that a frozen region delays nothing. Never throws. */
export async function collectStatus(sources: StatusSources): Promise<StatusFacts> {
  const { config, clock, state, names, signal } = sources;
  const nowMs = clock.now();
  const options = { clock, deadlineMs, ...(signal ? { signal } : {}) };
  const jobs = config.jobs.map((j) => j.name);
  const look = <T>(act: (call: { readonly signal: AbortSignal }) => Promise<T>) => probe(act, options);

  // Asked once for all looks, each of which ends by its own deadline should they not come.
  const shared = { signal: AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(2 * deadlineMs)]) };
  const rolesNow = once(() => readRoles(state, shared));
  const freezeNow = once(async () => {
    const now = await rolesNow();
    return now && (await freezeInForce(state, now.epoch, shared));
  });
  const frozenEnds = async (call: Call) => {
    const [now, freeze] = [await rolesNow(), await freezeNow()];
    // What no freeze asked for nobody confirmed.
    return now && freeze && (await firstFrozen(state, now.epoch, call))?.frozen.endOffsets;
  };
  const roles = look(rolesNow);
  // Which region is primary decides which sighting and which replica count; both are read for both regions at once.
  const [role, regions, sightings, replicas, answers, records, frozenBy, runs, healths, readiness] = await Promise.all([
    roles,
    Promise.all(sources.regions.map((r) => regionFacts(r, config, options))),
    Promise.all(
      sources.regions.map(async (r) => [r.name, await look((call) => readSighting(state, r.name, call))] as const),
    ),
    Promise.all(
      sources.regions.map(async (r) => {
        const usable = await look((call) => usablePoints(r, config, () => frozenEnds(call), call));
        return jobs.map((job) => ({ region: r.name, job, usable: ofJob(usable, job) }));
      }),
    ),
    Promise.all(
      namesThatFollow(config.dns).flatMap((record) =>
        names.resolvers.map(async (resolver) => ({
          name: record.name,
          resolver: resolver.server,
          answer: await probeResolver(resolver, record.name, record.type, options),
        })),
      ),
    ),
    Promise.all(
      namesThatFollow(config.dns).map(async ({ name, type }) => ({
        name,
        found: await probeRecords(names.records, name, type, options),
      })),
    ),
    look(async () => ((await rolesNow())?.replication === 'active' ? (await freezeNow())?.run : undefined)),
    look((call) => recentRuns(sources, nowMs, call)),
    Promise.all(sources.regions.map(async (r) => look((call) => readReplicaHealth(state, r.name, call)))),
    look((call) => readReadiness(state, call)),
  ]);
  const { primary, standby } = role.value ?? config.roles;
  return {
    nowMs,
    topics: config.topics,
    engine: config.mirror.engine,
    jobs,
    slotsNeeded: config.jobs.reduce((sum, j) => sum + (j.submit?.parallelism ?? 0), 0),
    objectives: config.objectives,
    roles: role,
    configuredRoles: config.roles,
    regions,
    addresses: Object.fromEntries(sources.regions.map((r) => [r.name, r.address])),
    names: answers,
    records,
    sighting: new Map(sightings).get(primary) ?? { status: 'ok', latencyMs: 0 },
    replica: replicas.flat().filter((r) => r.region === standby),
    ...(frozenBy.value === undefined ? {} : { frozenBy: frozenBy.value }),
    ...replicaHealthOf(
      healths.flatMap((h) => h.value ?? []),
      standby,
    ),
    readiness,
    runs: runs.value ?? [],
  };
}

function replicaHealthOf(healths: readonly ReplicaHealth[], region: string): Pick<StatusFacts, 'replicaHealth'> {
  const replicaHealth = healths.find((health) => health.region === region);
  return replicaHealth === undefined ? {} : { replicaHealth };
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

/** What a failover to this region would restore each job from, by its name. */
async function usablePoints(
  region: Region,
  { topics, jobs }: Config,
  frozenEnds: () => Promise<Frozen['endOffsets'] | undefined>,
  { signal }: Call,
): Promise<ReadonlyMap<string, UsableFacts>> {
  const mirrorEnds = (await frozenEnds()) ?? [];
  const { objects, kafka } = region;
  const choices = await findRecoveryPoints({ objects, kafka, topics, mirrorEnds, signal }, jobs.map(askedJob));
  return new Map([...choices].map(([job, choice]) => [job, usableFacts(choice)]));
}

function ofJob(usable: ProbeOf<ReadonlyMap<string, UsableFacts>>, job: string): ProbeOf<UsableFacts> {
  const { value, ...rest } = usable;
  const facts = value?.get(job);
  return facts === undefined ? rest : { ...rest, value: facts };
}

function usableFacts(choice: RecoveryPointChoice): UsableFacts {
  const refused = choice.rejected.map((r) => ({
    checkpointId: r.checkpointId,
    completedAtMs: r.completedAtMs,
    code: r.reasons[0]?.code ?? 'Refused',
    message: describeRefusal(r),
  }));
  if (choice.kind === 'none') return { refused };
  const { checkpointId, completedAtMs } = choice.point;
  return { point: { checkpointId, completedAtMs }, refused };
}

/** The newest few runs, newest first. */
async function recentRuns(
  { state, endedRuns = new Map() }: Pick<StatusSources, 'state' | 'endedRuns'>,
  nowMs: number,
  call: Call,
): Promise<readonly RunSummary[]> {
  const newest = (await listRuns(state, call)).slice(-3).reverse();
  for (const id of endedRuns.keys()) if (!newest.includes(id)) endedRuns.delete(id);
  const [lease, ...read] = await Promise.all([
    readLease(state, call),
    ...newest.map(async (id) => endedRuns.get(id) ?? summaryOf(foldRun(await readRun(state, id, call)))),
  ]);
  const alive = lease && !lease.released && nowMs - lease.writtenAtMs < silentLeaseMs ? lease.run : undefined;
  return read.flatMap((summary): RunSummary[] => {
    if (summary === undefined) return [];
    if (summary.state !== 'running') endedRuns.set(summary.id, summary);
    // A journal without an end whose process is gone.
    return [summary.state === 'running' && summary.id !== alive ? { ...summary, state: 'interrupted' } : summary];
  });
}

const summaryOf = (run: RunRecord | undefined): RunSummary | undefined =>
  run && { id: run.run, kind: run.runbook, state: run.status, startedAtMs: run.startedAtMs };

/** Does it when it is first wanted, and gives all who want it the same. */
function once<T>(act: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= act();
    return asked;
  };
}

function withoutValue<T>({ value: _, ...rest }: ProbeOf<T>) {
  return rest;
}
