import { type LogRange, partitionKey } from '../domain/offsets.ts';
import { noPointSentence } from '../replication/recovery-point/find.ts';
import { estimateLoss } from '../replication/topics/estimate-loss.ts';
import type { SightedPartition, Sighting } from '../state/sightings.ts';
import type { Probe } from './probe.ts';
import type { RegionFacts, ReplicaFacts, StatusFacts } from './status-facts.ts';
import { findBlockers } from './status-findings.ts';
import type { Component, StatusView, TopicLag, TopicLoss } from './status-view.ts';

/** A daemon that looked at the primary within this time is at work. */
const watchedMs = 10_000;

/** The status of everything from what was observed. Pure. */
export function assembleStatus(facts: StatusFacts): StatusView {
  const stored = facts.roles.value;
  const { primary, standby } = stored ?? facts.configuredRoles;
  const suspended = stored?.replication === 'suspended';
  const ofPrimary = facts.regions.find((r) => r.name === primary);
  const ofStandby = facts.regions.find((r) => r.name === standby);
  const regions = [ofPrimary, ofStandby].flatMap((r) =>
    r === undefined
      ? []
      : [
          {
            name: r.name,
            role: r.name === primary ? ('primary' as const) : ('standby' as const),
            components: componentsOf(r, r.name === primary, facts.jobs),
          },
        ],
  );
  const sighting = facts.sighting.value?.region === primary ? facts.sighting.value : undefined;
  // Lag, loss and recovery points are told by offsets, which mean other records on MirrorMaker's copy.
  const untold = suspended || facts.engine === 'mirrormaker2';
  const mirror = untold ? [] : facts.topics.map((t) => lagOf(t, ofPrimary, ofStandby, sighting));
  const wouldLose = untold
    ? []
    : facts.topics.map((t, i) => lossOf(t, mirror[i] as TopicLag, ofStandby, sighting, facts.nowMs));
  // What was interrupted matters until a later run was made.
  const running =
    facts.runs.find((r) => r.state === 'running') ??
    (facts.runs[0]?.state === 'interrupted' ? facts.runs[0] : undefined);
  const last = facts.runs.find((r) => r.state === 'done' || r.state === 'failed' || r.state === 'refused');
  const checkedAgeMs = facts.sighting.value && Math.max(0, facts.nowMs - checkedAt(facts.sighting.value));
  const view = {
    atMs: facts.nowMs,
    healthy:
      facts.roles.status === 'ok' &&
      (regions.find((r) => r.role === 'primary')?.components.every((c) => c.status === 'ok') ?? false),
    roles: {
      primary,
      standby,
      replication: facts.roles.status === 'ok' ? (stored?.replication ?? 'active') : ('unknown' as const),
      ...(stored ? { epoch: stored.epoch, source: 'state' as const } : { source: 'configuration' as const }),
    },
    regions,
    names: facts.names.map(({ name, resolver, answer }) => {
      const addresses = answer.value ?? [];
      const region = Object.keys(facts.addresses).find((r) => addresses.includes(facts.addresses[r] as string));
      return {
        name,
        resolver,
        status: answer.status,
        addresses,
        ...(region === undefined ? {} : { region }),
        ...(answer.reason === undefined ? {} : { detail: answer.reason }),
      };
    }),
    daemon: {
      seen: checkedAgeMs !== undefined && checkedAgeMs < watchedMs,
      ...(checkedAgeMs === undefined ? {} : { ageMs: checkedAgeMs }),
      ...(sighting?.firstFailureAtMs === undefined ? {} : { primaryDarkSinceMs: sighting.firstFailureAtMs }),
    },
    mirror,
    recoveryPoints: untold ? [] : facts.replica.map((r) => recoveryPointOf(r, facts.nowMs)),
    wouldLose,
    ...readinessOf(facts),
    runs: { ...(running ? { running } : {}), ...(last ? { last } : {}) },
  };
  return { ...view, ...findBlockers(facts, view) };
}

/** One line per component; on the primary also per job. */
export function componentsOf(region: RegionFacts, isPrimary: boolean, jobs: readonly string[]): Component[] {
  const line = (component: string, p: Probe, detail?: string): Component => {
    const text = p.reason ?? detail;
    return { component, status: p.status, latencyMs: p.latencyMs, ...(text === undefined ? {} : { detail: text }) };
  };
  const flink = region.flink.value;
  const slots = flink && `${flink.slots.free} of ${flink.slots.total} slots free`;
  const jobLines = isPrimary
    ? jobs.map((name): Component => {
        const component = `job ${name}`;
        if (!flink) return line(component, { ...region.flink, reason: 'Flink does not answer' });
        const job = flink.jobs.get(name);
        const { latencyMs } = region.flink;
        if (!job) return { component, status: 'failed', latencyMs, detail: 'not in the cluster' };
        const newest = job.checkpoints?.latestCompleted?.id;
        const detail = `${job.state}${newest === undefined ? '' : `, checkpoint ${newest}`}`;
        return { component, status: job.state === 'RUNNING' ? 'ok' : 'failed', latencyMs, detail };
      })
    : [];
  return [
    line('kafka', region.kafka),
    line('objects', region.objects),
    line('flink', region.flink, slots),
    ...jobLines,
  ];
}

/** A word under other roles says nothing any more. */
function readinessOf({ readiness, nowMs, roles, configuredRoles }: StatusFacts): Pick<StatusView, 'readiness'> {
  const word = readiness?.value;
  if (!word || word.primary !== (roles.value ?? configuredRoles).primary) return {};
  const { status, sentence, atMs } = word;
  return { readiness: { status, sentence, ageMs: Math.max(0, nowMs - atMs) } };
}

function recoveryPointOf({ job, usable }: ReplicaFacts, nowMs: number): StatusView['recoveryPoints'][number] {
  if (!usable.value) return { job, detail: usable.reason ?? 'no answer' };
  const { point, refused } = usable.value;
  const age = (completedAtMs: number) => Math.max(0, nowMs - completedAtMs);
  const newest = refused[0];
  return {
    job,
    ...(point
      ? { checkpointId: point.checkpointId, ageMs: age(point.completedAtMs) }
      : { detail: noPointSentence(job, refused) }),
    refusedCount: refused.length,
    ...(newest && {
      newestRefused: {
        checkpointId: newest.checkpointId,
        ageMs: age(newest.completedAtMs),
        code: newest.code,
        message: newest.message,
      },
    }),
  };
}

const sum = (values: readonly bigint[]) => Number(values.reduce((a, b) => a + b, 0n));
const atLeast0 = (value: bigint) => (value > 0n ? value : 0n);

function endsOf(region: RegionFacts | undefined, topic: string): ReadonlyMap<string, LogRange> | undefined {
  const ranges = region?.kafka.value?.ranges.filter((r) => r.topic === topic);
  return ranges && new Map(ranges.map((r) => [partitionKey(r), r]));
}

function lagOf(
  topic: string,
  primary: RegionFacts | undefined,
  standby: RegionFacts | undefined,
  sighting: Sighting | undefined,
): TopicLag {
  const source = endsOf(primary, topic);
  const target = endsOf(standby, topic);
  const seen = sighting?.topics[topic];
  const seenMs = seen && Math.max(0, ...seen.partitions.map((p) => lagMsOf(p)));
  if (source && target && source.size > 0) {
    const lags = [...source.values()].map((s) => {
      const t = target.get(partitionKey(s));
      return atLeast0(s.logEndOffset - (t?.logEndOffset ?? s.logStartOffset));
    });
    const lagRecords = sum(lags);
    const lagMs = lagRecords === 0 ? 0 : seenMs;
    return { topic, lagRecords, ...(lagMs === undefined ? {} : { lagMs }), basis: 'live' };
  }
  if (seen) {
    const lagRecords = sum(seen.partitions.map((p) => atLeast0(p.logEndOffset - p.mirroredEndOffset)));
    return { topic, lagRecords, ...(seenMs === undefined ? {} : { lagMs: seenMs }), basis: 'last-seen' };
  }
  return { topic, basis: 'unknown' };
}

/** How far the mirrored copy is behind, by the records' own timestamps. */
function lagMsOf(p: SightedPartition): number {
  if (p.logEndOffset <= p.mirroredEndOffset || p.newestTimestampMs === null || p.mirroredTimestampMs === null) return 0;
  return Math.max(0, p.newestTimestampMs - p.mirroredTimestampMs);
}

const checkedAt = (s: Sighting) => s.checkedAtMs ?? s.atMs;

/**
 * While the primary answers, what isn't mirrored would be lost. While it is dark: what was last seen there and is not on
 * the standby, and what its recent rate would have added until the first failed look (or until now, when nobody looks), as in a failover.
 */
function lossOf(
  topic: string,
  lag: TopicLag,
  standby: RegionFacts | undefined,
  sighting: Sighting | undefined,
  nowMs: number,
): TopicLoss {
  if (lag.basis === 'live') {
    return {
      topic,
      records: lag.lagRecords ?? 0,
      ...(lag.lagMs === undefined ? {} : { ms: lag.lagMs }),
      estimated: false,
    };
  }
  const seen = sighting?.topics[topic];
  if (!sighting || !seen) return { topic, estimated: true };
  const target = endsOf(standby, topic);
  const promotedAt = seen.partitions.map(({ partition, mirroredEndOffset }) => ({
    topic,
    partition,
    offset: target?.get(partitionKey({ topic, partition }))?.logEndOffset ?? mirroredEndOffset,
  }));
  // Since nobody watches, the primary may have lived until now.
  const lastLookMs = nowMs - checkedAt(sighting) < watchedMs ? checkedAt(sighting) : nowMs;
  const outageAtMs = sighting.firstFailureAtMs ?? lastLookMs;
  const loss = estimateLoss({ topics: [topic], sighting, promotedAt, outageAtMs, primaryStopped: false })[topic];
  return {
    topic,
    ...(loss?.estimatedRecords == null ? {} : { records: loss.estimatedRecords }),
    ...(loss?.ms == null ? {} : { ms: loss.ms }),
    estimated: true,
    ...(loss?.unseenMs === undefined ? {} : { unseenMs: loss.unseenMs }),
  };
}
