import { describeError } from '../../domain/errors.ts';
import { type LogRange, partitionKey } from '../../domain/offsets.ts';
import { firstFrozen } from '../../state/freeze.ts';
import type { Failure } from '../../state/journal.ts';
import { readSighting } from '../../state/sightings.ts';
import { isTerminal } from '../failover/standby-job.ts';
import { claimRefusal } from '../failover/steps/prepare-restore.ts';
import type { SwitchoverContext, WritersSeen } from './context.ts';
import { noMeans } from './steps/deny-writers.ts';
import { judgeStop, type StoppedJob } from './steps/stop-with-savepoint.ts';
import { standingSavepoints } from './switchover-step.ts';

/** What has to be known before a switchover begins. */
export interface Readiness {
  /** Records that the standby lacks, in all; undefined: one side can't be asked. */
  readonly lagRecords?: number;
  /** Why the sides can't be compared. */
  readonly lagUnknown?: string;
  /** How long ago a daemon looked at the primary; undefined: none ever did. */
  readonly watchedAgeMs?: number;
  /** An earlier run has frozen the mirror already. */
  readonly frozen: boolean;
  readonly jobs: readonly {
    readonly name: string;
    readonly found: StoppedJob | { readonly unknown: string };
    /** Why a region could not start it from its savepoint. */
    readonly unclaimed?: Failure;
  }[];
  readonly producers: WritersSeen | { readonly kind: 'unknown'; readonly why: string };
  /** The primary's Flink can stop a job with a savepoint. */
  readonly canStop: boolean;
}

/** A daemon that looked within this time is at work. */
const watchedMs = 15_000;
/** What the standby lacks is copied while the producers wait: so much may be left when they are stopped. */
const maxLagRecords = 200_000;

type Needed = Pick<
  SwitchoverContext,
  | 'primary'
  | 'standby'
  | 'config'
  | 'state'
  | 'clock'
  | 'jobs'
  | 'roles'
  | 'lookAtWriters'
  | 'listSavepoints'
  | 'returnedJobs'
>;

/** Asks everything at once. Reads only; what can't be asked is said to be so. */
export async function gatherReadiness(context: Needed, signal: AbortSignal): Promise<Readiness> {
  const call = { signal };
  const { primary, state, roles } = context;
  const [lag, sighting, frozen, jobs, producers] = await Promise.all([
    lagOf(context, signal).catch((error: unknown) => describeError(error)),
    readSighting(state, primary.name, call),
    firstFrozen(state, roles.epoch, call),
    judgeJobs(context, signal),
    context
      .lookAtWriters('producers', signal)
      .catch((error: unknown) => ({ kind: 'unknown' as const, why: describeError(error) })),
  ]);
  signal.throwIfAborted();
  const seenAtMs = sighting && (sighting.checkedAtMs ?? sighting.atMs);
  return {
    ...(typeof lag === 'string' ? { lagUnknown: lag } : { lagRecords: lag }),
    ...(seenAtMs === undefined ? {} : { watchedAgeMs: Math.max(0, context.clock.now() - seenAtMs) }),
    frozen: frozen !== undefined,
    jobs,
    producers,
    canStop: primary.flink.stopWithSavepoint !== undefined,
  };
}

/** What stands against a switchover now; empty: it may begin. Pure. */
export function notReady(
  seen: Readiness,
  context: Pick<SwitchoverContext, 'producersStopped'> & {
    readonly primary: { readonly name: string };
    readonly standby: { readonly name: string };
  },
): readonly Failure[] {
  const { primary, standby } = context;
  const found: Failure[] = [];
  const blocked = (code: string, message: string, hint: string) => found.push({ code, message, hint });
  if (seen.lagRecords === undefined) {
    const hint = 'a switchover needs both regions; when the primary is gone, see `argus failover --dry-run`';
    blocked('LagUnknown', `the logs of both sides can't be compared: ${seen.lagUnknown ?? 'no answer'}`, hint);
  } else if (seen.lagRecords > maxLagRecords) {
    const most = `at most ${maxLagRecords} may be left, since the producers wait for them`;
    blocked(
      'MirrorLagging',
      `${standby.name} lacks ${seen.lagRecords} records; ${most}`,
      'wait: `argus mirror status`',
    );
  }
  if (!seen.frozen && (seen.watchedAgeMs === undefined || seen.watchedAgeMs > watchedMs)) {
    const since = seen.watchedAgeMs === undefined ? '' : ` for ${Math.round(seen.watchedAgeMs / 1_000)} s`;
    blocked(
      'NoDaemon',
      `no daemon has looked at ${primary.name}${since}: nothing would be mirrored`,
      'start `argus daemon`',
    );
  }
  if (!seen.canStop) {
    const message = `${primary.name}'s Flink can't stop a job with a savepoint`;
    blocked('StopUnsupported', message, 'jobs have to be reached by their REST interface');
  }
  for (const { name, found: job, unclaimed } of seen.jobs) {
    if (unclaimed !== undefined) found.push(unclaimed);
    if ('unknown' in job) {
      blocked(
        'PrimaryUnreachable',
        `${name} on ${primary.name} can't be looked at: ${job.unknown}`,
        'see `argus status`',
      );
    } else if (job.kind === 'lost') {
      blocked(
        'JobNotRunning',
        `${name} on ${primary.name}: ${job.why}`,
        'start it first: only a running job takes a savepoint',
      );
    } else if (job.kind === 'live' && job.job.state !== 'RUNNING' && !isTerminal(job.job)) {
      blocked('JobNotRunning', `${name} on ${primary.name} is ${job.job.state}`, 'wait until it runs');
    }
  }
  if (seen.producers.kind === 'unknown') {
    blocked(
      'FenceUnknown',
      `whether the producers can be denied is not known: ${seen.producers.why}`,
      'see `argus status`',
    );
  } else if (seen.producers.kind === 'no-means' && !context.producersStopped) {
    found.push(noMeans(seen.producers.why));
  }
  return found;
}

async function lagOf({ primary, standby, config }: Needed, signal: AbortSignal): Promise<number> {
  const topics = await primary.kafka.describeTopics(config.topics, { signal });
  const partitions = [...topics.values()].flatMap((t) =>
    Array.from({ length: t.partitions }, (_, partition) => ({ topic: t.name, partition })),
  );
  if (partitions.length === 0) return 0;
  const [here, there] = await Promise.all([
    primary.kafka.logRanges(partitions, { signal }),
    standby.kafka.logRanges(partitions, { signal }),
  ]);
  return lackingRecords(here, there);
}

/** How many records the second side lacks of the first one's. Pure. */
export function lackingRecords(here: readonly LogRange[], there: readonly LogRange[]): number {
  const ends = new Map(there.map((r) => [partitionKey(r), r.logEndOffset]));
  const sum = here.reduce((all, range) => {
    const lack = range.logEndOffset - (ends.get(partitionKey(range)) ?? range.logStartOffset);
    return lack > 0n ? all + lack : all;
  }, 0n);
  return Number(sum);
}

async function judgeJobs(context: Needed, signal: AbortSignal): Promise<Readiness['jobs']> {
  try {
    const jobs = await context.primary.flink.list({ signal });
    return await Promise.all(
      context.jobs.map(async ({ config }) => {
        const { name } = config;
        const found = judgeStop(name, jobs, await standingSavepoints(context, name, signal));
        // The primary's counts too: taken back, the job is started there again.
        const refusal = claimRefusal(config, context.standby.name) ?? claimRefusal(config, context.primary.name);
        if (found.kind !== 'live' || refusal === undefined) return { name, found };
        const { checkpointing } = await context.primary.flink.settings(found.job.id, { signal });
        return { name, found, ...(checkpointing?.changelog === true ? { unclaimed: refusal } : {}) };
      }),
    );
  } catch (error) {
    signal.throwIfAborted();
    return context.jobs.map(({ config: { name } }) => ({ name, found: { unknown: describeError(error) } }));
  }
}
