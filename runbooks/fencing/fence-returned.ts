import type { Config } from '../../domain/config.ts';
import { type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import type { Roles } from '../../domain/roles.ts';
import type { FlinkJob } from '../../regions/flink/flink-jobs.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Region } from '../../regions/region.ts';
import { readKafkaFence } from '../../state/kafka-fence.ts';
import { readRoles } from '../../state/roles.ts';
import type { Step, StepIo } from '../engine/step.ts';
import { evidence } from '../failover/failover-step.ts';
import { isTerminal, standbyJobId } from '../failover/standby-job.ts';
import { fencedTopics, fenceRules, missingRules, ofKinds } from './fence-rules.ts';
import { denyKafkaWrites, everybody, type FenceTarget, fenceWatch, usableFence } from './kafka-fencing.ts';

/** A region that lost the role of primary, and what is needed to keep it quiet. */
export interface ReturnedContext {
  readonly config: Pick<Config, 'topics' | 'jobs'>;
  readonly region: Region;
  readonly state: ObjectStore;
  /** In force when this was begun; looked at again before each effect. */
  readonly roles: Roles;
  readonly run: string;
}

/** What there is to be done in a region that came back; undefined: it can't be asked. */
export interface ReturnedSight {
  readonly liveJobs: readonly FlinkJob[] | undefined;
  /** How many rules of its fence are missing; 0 also where Kafka can't be fenced. */
  readonly missingRules: number | undefined;
}

/** What was found behind the fence, for the steps' evidence. */
export interface ReturnedFacts {
  /** Offsets that it took beyond the promotion, by partition: records and markers that only it has. */
  readonly beyond: readonly BeyondPromotion[];
}

interface BeyondPromotion extends PartitionOffset {
  readonly promotedAt: bigint;
}

/**
 * Whether a region is to be kept quiet: it is not primary in the roles in force, a run has taken that role from it, and
 * no run is about to give it back. Pure.
 */
export function isToBeQuiet(region: string, roles: Roles | undefined, openedFor: number | undefined): boolean {
  if (roles?.run === undefined || roles.primary === region) return false;
  return openedFor === undefined || openedFor <= roles.epoch;
}

/** Looks what a region that came back still does. Reads only; what doesn't answer within 2 s is undefined. */
export async function lookAtReturned(context: ReturnedContext, signal: AbortSignal): Promise<ReturnedSight> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
  const ask = <T>(answer: Promise<T>) => answer.catch(() => undefined);
  const [liveJobs, missing] = await Promise.all([ask(jobsOf(context, soon)), ask(missingOf(context, soon))]);
  signal.throwIfAborted();
  return { liveJobs, missingRules: missing };
}

/** Stops what still runs in a region that lost the role of primary, and keeps its writers out. Only shuts, never opens. */
export function returnedSteps(context: ReturnedContext): readonly Step<ReturnedContext, ReturnedFacts>[] {
  const { region, roles, config } = context;
  const target: FenceTarget = { ...context, topics: fencedTopics(config, region.fence?.settings) };
  const look = fenceWatch(target, everybody);
  const because = `${roles.primary} is primary (roles epoch ${roles.epoch})`;
  return [
    {
      id: 'deny-writers',
      title: `Deny the writers of ${region.name} its Kafka: ${because}`,
      timeoutMs: 60_000,
      waitsFor: `Kafka of ${region.name}`,
      onFailure: { kind: 'continue', hint: `keep the producers of ${region.name} away from its Kafka` },
      manual: [],
      async observe() {
        const fence = usableFence({ region });
        return 'none' in fence ? { kind: 'done', evidence: { fenced: false, why: fence.none } } : { kind: 'todo' };
      },
      async act(_context, _facts, io) {
        const author = { by: context.run, atMs: io.clock.now(), unlessOpenedFor: roles.epoch };
        await quietOnly(context, io);
        await denyKafkaWrites(target, everybody, author, io);
      },
      async verify(_context, _facts, io) {
        const fence = usableFence({ region });
        if ('none' in fence) return { kind: 'done', evidence: { fenced: false, why: fence.none } };
        const seen = await look(fence, io.clock.monotonic(), io.signal);
        if (seen.kind === 'pending') return seen;
        const beyond = beyondPromotion(seen.ends, roles);
        return { kind: 'done', evidence: evidence({ ...seen, beyondPromotion: beyond }), facts: { beyond } };
      },
    },
    {
      id: 'stop-jobs',
      title: `Stop the jobs that run on ${region.name}: ${because}`,
      timeoutMs: 20_000,
      pollMs: 500,
      waitsFor: `Flink of ${region.name}`,
      onFailure: { kind: 'continue', hint: `stop the jobs of ${region.name} by hand` },
      manual: [],
      async observe(_context, _facts, io) {
        const jobs = await jobsOf(context, io.signal);
        return jobs.length === 0 ? { kind: 'done', evidence: { running: [] } } : { kind: 'todo' };
      },
      async act(_context, _facts, io) {
        await quietOnly(context, io);
        for (const job of await jobsOf(context, io.signal)) {
          io.check();
          await region.flink.cancel(job.id, { signal: io.signal });
        }
      },
      async verify(_context, _facts, io) {
        const jobs = await jobsOf(context, io.signal);
        if (jobs.length === 0) return { kind: 'done', evidence: { running: [] } };
        return { kind: 'pending', waitingFor: jobs.map((j) => `${j.name} is ${j.state}`).join(', ') };
      },
    },
  ];
}

/** Throws when the region is primary again, or is being made so: then nothing of it is touched. */
async function quietOnly({ state, region }: ReturnedContext, io: StepIo): Promise<void> {
  const [roles, fence] = await Promise.all([
    readRoles(state, { signal: io.signal }),
    readKafkaFence(state, region.name, { signal: io.signal }),
  ]);
  io.check();
  if (!isToBeQuiet(region.name, roles, fence?.openedFor)) throw new Error(`${region.name} is no longer to be quiet`);
}

const jobsOf = async ({ config, region, roles }: ReturnedContext, signal: AbortSignal) =>
  jobsToStop(await region.flink.list({ signal }), config, roles.epoch);

/**
 * Jobs of the configuration that run in a region which is not to be primary, but for those that a promotion of it from
 * the roles of this epoch has started. Pure.
 */
export function jobsToStop(
  jobs: readonly FlinkJob[],
  config: Pick<Config, 'jobs'>,
  rolesEpoch: number,
): readonly FlinkJob[] {
  const names = new Set(config.jobs.map((j) => j.name));
  return jobs.filter((j) => names.has(j.name) && !isTerminal(j) && !startedFor(j, rolesEpoch + 1));
}

const attemptsLookedAt = 20;
const startedFor = (job: FlinkJob, epoch: number) =>
  Array.from({ length: attemptsLookedAt }, (_, attempt) => standbyJobId(epoch, job.name, attempt)).includes(job.id);

async function missingOf({ config, region }: ReturnedContext, signal: AbortSignal): Promise<number> {
  const fence = usableFence({ region });
  if ('none' in fence) return 0;
  const there = await region.kafka.listAcls({ permission: 'DENY' }, { signal });
  if (there === undefined) return 0;
  const who = ofKinds(fence.settings, everybody).map((p) => p.principal);
  return missingRules(fenceRules(who, fencedTopics(config, fence.settings)), there).length;
}

/** Where logs end beyond the promotion, of the partitions that were promoted. Pure. */
export function beyondPromotion(
  ends: readonly PartitionOffset[],
  { promotedAt = [] }: Pick<Roles, 'promotedAt'>,
): readonly BeyondPromotion[] {
  const at = new Map(promotedAt.map((p) => [partitionKey(p), BigInt(p.offset)]));
  return ends.flatMap((end) => {
    const promoted = at.get(partitionKey(end));
    return promoted === undefined || end.offset <= promoted ? [] : [{ ...end, promotedAt: promoted }];
  });
}

/** What there is to be done, for people; undefined when nothing is, as far as it can be told. Pure. */
export function describeReturned({ liveJobs, missingRules: missing }: ReturnedSight): string | undefined {
  const what: string[] = [];
  if (missing !== undefined && missing > 0) what.push('its Kafka takes writes');
  if (liveJobs !== undefined && liveJobs.length > 0) what.push(`${liveJobs.map((j) => j.name).join(', ')} runs`);
  return what.length === 0 ? undefined : what.join(', ');
}
