import { namesThatFollow } from '../../domain/dns-config.ts';
import { describeError } from '../../domain/errors.ts';
import { endOf, type PartitionOffset, partitionsOf } from '../../domain/offsets.ts';
import type { DnsRecord } from '../../regions/dns/dns-records.ts';
import type { FlinkJob } from '../../regions/flink/flink-jobs.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import { readFollowedAcls } from '../../state/followed-acls.ts';
import { firstFrozen } from '../../state/freeze.ts';
import { readRoles } from '../../state/roles.ts';
import { readUsualTimes, type UsualTime } from '../plan/durations.ts';
import type { FailoverContext, RecoveryPointChoice } from './context.ts';
import { within } from './failover-step.ts';
import { type OpenDrill, openDrills } from './open-drills.ts';
import type { Outage } from './outage.ts';

/** Something that was asked: its answer, or why there is none. */
export type Asked<T> =
  | { readonly kind: 'known'; readonly value: T }
  | { readonly kind: 'unknown'; readonly why: string };

/** What a plan is made from: all of it observed, none of it changed. */
export interface PlanView {
  readonly context: Omit<FailoverContext, 'chooseRecoveryPoints' | 'syncGroup' | 'clock' | 'state' | 'names'>;
  readonly outage: Outage;
  readonly nowMs: number;
  /** The earlier run that this one goes on with. */
  readonly resumes?: string;
  readonly resolvers: readonly string[];
  readonly primaryJobs: Asked<readonly FlinkJob[]>;
  readonly standbyJobs: Asked<readonly FlinkJob[]>;
  readonly slots: Asked<{ readonly free: number; readonly total: number }>;
  /** Drills whose jobs are in the way. Absent: nobody looked. */
  readonly drills?: readonly OpenDrill[];
  /** Where the standby's logs end now, or ended when the mirror was frozen. */
  readonly mirroredEnds: Asked<readonly PartitionOffset[]>;
  /** Those are final: an earlier run froze the mirror there. */
  readonly mirrorFrozen?: boolean;
  /** To be made on the standby when it is promoted. */
  readonly withheldAcls?: readonly Acl[];
  readonly choices: readonly { readonly job: string; readonly choice: Asked<RecoveryPointChoice> }[];
  readonly records: readonly { readonly name: string; readonly records: Asked<readonly DnsRecord[]> }[];
  /** Of the roles in force: above those that the failover changes once it has written its own. Absent: not known. */
  readonly rolesEpochInForce?: number;
  /** How long the steps took in earlier runs, by id. Absent: not known. */
  readonly usualTimes?: ReadonlyMap<string, UsualTime>;
}

/**
 * Observes what the plan needs. Reads only, everything at once; a primary has 2 s, the standby 10 s to answer, and then
 * 30 s for the recovery points: reading its log of the sinks may take 20 s, and is given up without harm.
 */
export async function gatherPlanView(
  context: FailoverContext,
  outage: Outage,
  options: { readonly resumes?: string; readonly signal?: AbortSignal } = {},
): Promise<PlanView> {
  const outer = options.signal ?? new AbortController().signal;
  const signal = within(outer, 10_000);
  const { standby, names, config } = context;
  const [primaryJobs, standbyJobs, slots, drills, ends, acls, inForce, usual, records] = await Promise.all([
    ask(context.primary.flink.list({ signal: within(outer, 2_000) })),
    ask(standby.flink.list({ signal })),
    ask(standby.flink.slots({ signal })),
    ask(openDrills(context, within(outer, 3_000))),
    ask(mirroredEnds(context, signal)),
    ask(readFollowedAcls(context.state, context.roles.epoch, { signal })),
    ask(readRoles(context.state, { signal })),
    ask(readUsualTimes(context.state, 'failover', { signal: within(outer, 3_000) })),
    Promise.all(
      namesThatFollow(config.dns).map(async ({ name, type }) => ({
        name,
        records: await ask(names.records.find(name, type, { signal, urgent: true })),
      })),
    ),
  ]);
  const found = await ask(
    context.chooseRecoveryPoints(context.jobs, ends.kind === 'known' ? ends.value.ends : [], within(outer, 30_000)),
  );
  outer.throwIfAborted();
  const { resumes } = options;
  return {
    context,
    outage,
    nowMs: context.clock.now(),
    ...(resumes === undefined ? {} : { resumes }),
    resolvers: names.resolvers.map((r) => r.server),
    primaryJobs,
    standbyJobs,
    slots,
    ...(drills.kind === 'known' ? { drills: drills.value } : {}),
    mirroredEnds: ends.kind === 'known' ? { kind: 'known', value: ends.value.ends } : ends,
    mirrorFrozen: ends.kind === 'known' && ends.value.frozen,
    ...(acls.kind === 'known' && config.mirror.acls === 'follow' ? { withheldAcls: acls.value?.withheld ?? [] } : {}),
    choices: context.jobs.map(({ config: { name } }) => ({ job: name, choice: choiceOf(found, name) })),
    records,
    ...(inForce.kind === 'known' && inForce.value ? { rolesEpochInForce: inForce.value.epoch } : {}),
    ...(usual.kind === 'known' ? { usualTimes: usual.value } : {}),
  };
}

function choiceOf(found: Asked<ReadonlyMap<string, RecoveryPointChoice>>, job: string): Asked<RecoveryPointChoice> {
  if (found.kind === 'unknown') return found;
  return { kind: 'known', value: found.value.get(job) ?? { kind: 'none', rejected: [] } };
}

async function mirroredEnds(
  context: FailoverContext,
  signal: AbortSignal,
): Promise<{ readonly ends: readonly PartitionOffset[]; readonly frozen: boolean }> {
  const frozen = await firstFrozen(context.state, context.roles.epoch, { signal });
  if (frozen !== undefined) return { ends: frozen.frozen.endOffsets, frozen: true };
  const topics = await context.standby.kafka.describeTopics(context.config.topics, { signal });
  const partitions = partitionsOf(topics.values());
  const ranges = partitions.length === 0 ? [] : await context.standby.kafka.logRanges(partitions, { signal });
  return { ends: ranges.map(endOf), frozen: false };
}

const ask = <T>(answer: Promise<T>): Promise<Asked<T>> =>
  answer.then(
    (value) => ({ kind: 'known', value }),
    (error: unknown) => ({ kind: 'unknown', why: describeError(error) }),
  );
