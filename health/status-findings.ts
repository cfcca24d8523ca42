import type { StatusFacts } from './status-facts.ts';
import type { Finding, StatusView } from './status-view.ts';

type Assembled = Omit<StatusView, 'blockers' | 'warnings'>;

/** States in which a job never writes again. Source: Flink 2.2 `JobStatus.isTerminalState`. */
const ended = new Set(['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED']);

/** What would stop a failover now, and what else is worth a look. Pure. */
export function findBlockers(
  facts: StatusFacts,
  view: Assembled,
): { readonly blockers: readonly Finding[]; readonly warnings: readonly Finding[] } {
  const blockers: Finding[] = [];
  const warnings: Finding[] = [];
  const block = (code: string, sentence: string) => blockers.push({ code, sentence });
  const warn = (code: string, sentence: string) => warnings.push({ code, sentence });
  const { primary, standby, replication } = view.roles;

  if (facts.roles.status !== 'ok') {
    block(
      'StateUnreachable',
      `the state can't be read: ${facts.roles.reason ?? 'no answer'}; the roles shown are the configuration's`,
    );
  }
  if (view.runs.running?.state === 'interrupted') {
    const { id } = view.runs.running;
    warn('RunUnfinished', `${id} was interrupted: see \`argus runs show ${id}\`; \`argus failover\` goes on with it`);
  }
  for (const name of view.names) {
    // Resolvers answer a proxied name with the provider's edge, wherever it leads.
    const proxied = facts.records.some((r) => r.name === name.name && r.found.value?.some((f) => f.proxied === true));
    if (name.status === 'ok' && name.region !== primary && !proxied) {
      warn(
        'NameElsewhere',
        `${name.name} answers ${name.addresses.join(', ') || 'nothing'} at ${name.resolver}, not ${primary}`,
      );
    } else if (name.status !== 'ok') warn('ResolverDown', `resolver ${name.resolver}: ${name.detail ?? 'no answer'}`);
  }
  if (replication === 'suspended') {
    block(
      'ReplicationSuspended',
      `${standby} has not been mirrored to since ${primary} was promoted: it can't take over`,
    );
    return { blockers, warnings };
  }
  if (facts.engine === 'mirrormaker2')
    block(
      'EngineIsMirrorMaker',
      "MirrorMaker's copy has other offsets, so a failover is refused; its lag: `argus mirror status`",
    );
  const target = facts.regions.find((r) => r.name === standby);
  if (target?.kafka.status !== 'ok')
    block('StandbyKafkaDown', `Kafka of ${standby}: ${target?.kafka.reason ?? 'unknown'}`);
  if (target?.objects.status !== 'ok')
    block('StandbyObjectsDown', `objects of ${standby}: ${target?.objects.reason ?? 'unknown'}`);
  const flink = target?.flink;
  if (flink?.status !== 'ok') block('StandbyFlinkDown', `Flink of ${standby}: ${flink?.reason ?? 'unknown'}`);
  else if (flink.value && facts.frozenBy === undefined) {
    // Once a failover has begun, the jobs there may be its own.
    const { slots, jobs } = flink.value;
    const foreign = facts.jobs.filter((job) => jobs.has(job) && !ended.has(jobs.get(job)?.state ?? ''));
    for (const job of foreign) block('ForeignJob', `a job called ${job} runs on ${standby} that no failover started`);
    if (slots.free < facts.slotsNeeded) {
      block('NoFreeSlots', `Flink of ${standby} has ${slots.free} free slots, the jobs need ${facts.slotsNeeded}`);
    }
  }
  const silent = facts.records.find((r) => r.found.status !== 'ok');
  if (silent) block('DnsApiDown', `the DNS provider: ${silent.found.reason ?? 'no answer'}`);
  const known = [facts.addresses[primary], facts.addresses[standby]];
  for (const { name, found } of facts.records) {
    if (found.value?.length === 0) block('NameMissing', `${name} has no record`);
    const other = found.value?.find((r) => !known.includes(r.content));
    if (other) block('NameHoldsOther', `${name} holds ${other.content}, which is neither region's address`);
  }

  for (const point of view.recoveryPoints) {
    if (point.checkpointId === undefined && point.refusedCount === undefined)
      block('RecoveryPointUnknown', `the replica of ${point.job} can't be looked at: ${point.detail ?? 'no answer'}`);
    else if (point.checkpointId === undefined)
      block('NoRecoveryPoint', point.detail ?? `${point.job} has no recovery point`);
    else if ((point.ageMs ?? 0) > facts.objectives.rpo) {
      warn(
        'RecoveryPointOld',
        `job ${point.job}: the newest recovery point is older than the RPO objective; more is replayed`,
      );
    }
  }
  for (const finding of replicaFindings(facts)) warn(finding.code, finding.sentence);
  const source = facts.regions.find((r) => r.name === primary);
  for (const topic of facts.engine === 'argus' ? facts.topics : []) {
    const there = target?.kafka.value?.topics;
    const here = source?.kafka.value?.topics;
    if (there && !there.has(topic)) block('TopicMissing', `topic ${topic} does not exist on ${standby} yet`);
    else if (there && here?.has(topic) && there.get(topic) !== here.get(topic)) {
      block(
        'PartitionCountDiffers',
        `topic ${topic} has ${here.get(topic)} partitions on ${primary} and ${there.get(topic)} on ${standby}`,
      );
    }
  }
  for (const lag of view.mirror) {
    if (lag.basis === 'unknown')
      warn(
        'LagUnknown',
        `topic ${lag.topic}: the mirror lag can't be told, since ${primary} is dark and was never seen`,
      );
    else if ((lag.lagMs ?? 0) > facts.objectives.rpo) {
      warn('MirrorLagOverRpo', `topic ${lag.topic}: the mirror is behind by more than the RPO objective`);
    }
  }
  if (!view.daemon.seen) {
    warn(
      'DaemonNotSeen',
      view.daemon.ageMs === undefined
        ? 'no daemon has ever been seen'
        : 'the daemon has stopped looking at the primary',
    );
  }
  if (facts.frozenBy !== undefined)
    warn('Frozen', `replication is frozen by ${facts.frozenBy}: nothing newer reaches ${standby}`);
  return { blockers, warnings };
}

/** Nobody knows what became of copies that nobody makes; a damage stays. */
const heardMs = 180_000;

function replicaFindings({ replicaHealth, nowMs }: StatusFacts): readonly Finding[] {
  if (replicaHealth === undefined) return [];
  const fresh = nowMs - replicaHealth.atMs < heardMs;
  return Object.entries(replicaHealth.jobs).flatMap(([job, { slow, verified }]): Finding[] => {
    const first = verified?.damaged[0];
    const more = (verified?.damagedFiles ?? 0) > 1 ? ` and ${(verified?.damagedFiles ?? 0) - 1} more files` : '';
    return [
      ...(slow && fresh ? [{ code: slow.code, sentence: `job ${job}: ${slow.message}` }] : []),
      ...(first
        ? [
            {
              code: 'ReplicaDamaged',
              sentence: `job ${job}, checkpoint ${first.checkpointId}: ${first.message}${more}; \`argus checkpoints list\` shows all`,
            },
          ]
        : []),
    ];
  });
}
