import type { AclOperation } from '../../regions/kafka/kafka-acls.ts';
import { decideAlignment } from './align-plan.ts';
import type { Stop } from './continuity.ts';
import { judgeTopics, type TopicView } from './prepare-topics.ts';
import { configChanges, followedConfigs } from './topic-configs.ts';

/** One side of a topic, besides its configuration. */
export interface CheckedSide {
  readonly topicId: string | undefined;
  /** What the mirror's principal may do with it; undefined when nobody could tell. */
  readonly rights: ReadonlySet<AclOperation> | undefined;
}

export interface CheckedPartition {
  readonly partition: number;
  readonly sourceStart: bigint;
  readonly sourceEnd: bigint;
  /** 0 to 0 while the standby has no such topic. */
  readonly standbyStart: bigint;
  readonly standbyEnd: bigint;
  /** The standby's log holds an alignment that did not come to its end. */
  readonly placeholders: boolean;
  /** The first offset at which the standby holds something else than the source. */
  readonly foreign: { readonly offset: bigint; readonly what: string } | undefined;
  /** The source's log begins inside this batch. */
  readonly cut: { readonly baseOffset: bigint; readonly transactional: boolean; readonly whole: boolean } | undefined;
  /** Of the source's first and last batch. */
  readonly oldestTimestampMs: number | undefined;
  readonly newestTimestampMs: number | undefined;
  /** Transactional records or markers were seen at the source. */
  readonly transactional: boolean;
  /** At the source's first or last batch the mirror would stop, if the standby lacks it. */
  readonly stop: Stop | undefined;
}

/** A topic as it was seen; pure data. */
export interface CheckedTopic {
  readonly view: TopicView;
  readonly source: CheckedSide;
  readonly standby: CheckedSide;
  readonly partitions: readonly CheckedPartition[];
}

export interface CheckSettings {
  readonly source: string;
  readonly standby: string;
  readonly nowMs: number;
  /** Rights on the standby's cluster; undefined when nobody could tell. */
  readonly clusterRights: ReadonlySet<AclOperation> | undefined;
  /** The standby's `transaction.max.timeout.ms`, the smallest of its brokers; undefined when it may not be read. */
  readonly transactionLimitMs?: number | undefined;
  /** Keys of the configuration that the mirror carries over; the ordinary ones when not given. */
  readonly followed?: readonly string[] | undefined;
}

/** Why a topic can't be mirrored as it is, and what helps. */
export interface CheckReason {
  readonly code: string;
  readonly message: string;
  readonly alternative: string;
}

export interface TopicVerdict {
  readonly topic: string;
  readonly verdict: 'mirrored' | 'needs-alignment' | 'refused';
  readonly reasons: readonly CheckReason[];
  readonly warnings: readonly string[];
  /** What the mirror will change on the standby. */
  readonly notes: readonly string[];
  readonly sourceTopicId: string | undefined;
  readonly standbyTopicId: string | undefined;
}

const unlimitedMs = 9_223_372_036_854_775_807n;
const skewMs = 60_000;
/** Transactions that are open on the standby outlive an outage or a pause of this length at least. */
const enoughTransactionMs = 3_600_000;

/** What the mirror would do with a topic, and why; pure. */
export function judgeTopic(settings: CheckSettings, topic: CheckedTopic): TopicVerdict {
  const { view, partitions } = topic;
  const followed = settings.followed ?? followedConfigs;
  const review = judgeTopics(settings.source, settings.standby, [view], followed);
  const reasons: CheckReason[] = missingRights(settings, topic);
  const { notes, warnings: changeWarnings } = plannedChanges(settings, topic, followed);
  const denied = reasons.length > 0;
  for (const { code, message, hint } of review.refused) {
    if (code === 'PartitionCountDiffers' && grows(view)) continue;
    // What may not be described looks as if it did not exist.
    if (!denied || code !== 'TopicMissing') reasons.push({ code, message, alternative: hint ?? '' });
  }
  const warnings = [...review.warnings, ...changeWarnings];
  if (review.missing.length > 0 && settings.clusterRights?.has('CREATE') === false) {
    warnings.push(
      `CREATE on the cluster of ${settings.standby} is absent; CREATE on topic "${view.name}" does as well`,
    );
  }
  if (view.standbyPartitions !== undefined && view.sourcePartitions !== undefined) {
    reasons.push(...standbyLimits(settings, topic));
  }
  let aligns = false;
  for (const p of partitions) {
    const log = judgeLog(settings, topic, p);
    if (log === 'align') aligns = true;
    else if (log) reasons.push(log);
  }
  const { transactionLimitMs } = settings;
  if (partitions.some((p) => p.transactional) && (transactionLimitMs ?? enoughTransactionMs) < enoughTransactionMs) {
    warnings.push(
      `${view.name} has transactions, and transaction.max.timeout.ms is ${transactionLimitMs} in ${settings.standby}: a pause of the mirror that lasts longer while one is open stops its partition for good; set ${enoughTransactionMs} at least`,
    );
  }
  const ahead = partitions.find((p) => (p.newestTimestampMs ?? 0) > settings.nowMs + skewMs);
  if (ahead?.newestTimestampMs !== undefined) {
    const by = Math.round((ahead.newestTimestampMs - settings.nowMs) / 1_000);
    warnings.push(
      `the newest record of ${view.name}-${ahead.partition} is stamped ${by} s ahead of this machine's clock: lag in time is wrong by that`,
    );
  }
  return {
    topic: view.name,
    verdict: reasons.length > 0 ? 'refused' : aligns ? 'needs-alignment' : 'mirrored',
    reasons,
    warnings,
    notes,
    sourceTopicId: topic.source.topicId,
    standbyTopicId: topic.standby.topicId,
  };
}

/** The standby has fewer partitions: the mirror adds the others. */
function grows({ sourcePartitions: wanted, standbyPartitions: there }: TopicView): boolean {
  return wanted !== undefined && there !== undefined && there < wanted;
}

/** What the mirror makes or sets on the standby, and what of it its principal may not. */
function plannedChanges(
  { standby: region }: CheckSettings,
  { view, standby }: CheckedTopic,
  followed: readonly string[],
): { readonly notes: readonly string[]; readonly warnings: readonly string[] } {
  const { name, sourcePartitions, standbyPartitions } = view;
  if (sourcePartitions === undefined) return { notes: [], warnings: [] };
  if (standbyPartitions === undefined) {
    return { notes: [`the mirror makes "${name}" in ${region}, with ${sourcePartitions} partitions`], warnings: [] };
  }
  const notes: string[] = [];
  const warnings: string[] = [];
  if (grows(view)) {
    notes.push(
      `the mirror adds partitions to "${name}" in ${region}: ${standbyPartitions} now, then ${sourcePartitions}`,
    );
  }
  const changes = Object.entries(configChanges(view.source, view.standby, followed)).map(([k, v]) => `${k}=${v}`);
  if (changes.length > 0) {
    const what = `${changes.join(', ')} on "${name}" in ${region}`;
    if (standby.rights?.has('ALTER_CONFIGS') !== false) notes.push(`the mirror sets ${what}`);
    else warnings.push(`the mirror can't set ${what}: its principal lacks ALTER_CONFIGS there`);
  }
  return { notes, warnings };
}

const sourceNeeds: readonly AclOperation[] = ['DESCRIBE', 'READ', 'DESCRIBE_CONFIGS'];
const standbyNeeds: readonly AclOperation[] = ['DESCRIBE', 'READ', 'WRITE', 'DESCRIBE_CONFIGS'];

function missingRights(settings: CheckSettings, { view, source, standby, partitions }: CheckedTopic): CheckReason[] {
  const aligns = partitions.some((p) => decideAlignment(p).kind === 'align');
  const sides: readonly { region: string; rights: CheckedSide['rights']; needs: readonly AclOperation[] }[] = [
    { region: settings.source, rights: source.rights, needs: sourceNeeds },
    {
      region: settings.standby,
      rights: standby.rights,
      needs: [...standbyNeeds, ...(aligns ? ['DELETE' as const] : []), ...(grows(view) ? ['ALTER' as const] : [])],
    },
  ];
  return sides.flatMap(({ region, rights, needs }) => {
    const missing = rights ? needs.filter((right) => !rights.has(right)) : [];
    if (missing.length === 0) return [];
    const what = `${missing.join(', ')} on topic "${view.name}"`;
    return [
      {
        code: 'RightMissing',
        message: `the mirror's principal lacks ${what} in ${region}`,
        alternative: `grant ${what} in ${region}`,
      },
    ];
  });
}

/** Limits of the standby's topic that some of the source's batches would not pass. */
function standbyLimits(settings: CheckSettings, { view, partitions }: CheckedTopic): readonly CheckReason[] {
  const { name, standby } = view;
  const reasons: CheckReason[] = [];
  const refuse = (code: string, what: string, alternative: string) =>
    reasons.push({ code, message: `topic "${name}" in ${settings.standby} ${what}`, alternative });
  const limit = (key: string) => {
    const value = standby.get(key);
    return value === undefined || BigInt(value) === unlimitedMs ? undefined : Number(value);
  };
  const both = limit('message.timestamp.difference.max.ms');
  const before = limit('message.timestamp.before.max.ms') ?? both;
  const after = limit('message.timestamp.after.max.ms') ?? both;
  const oldest = Math.min(...partitions.map((p) => knownTimestamp(p.oldestTimestampMs) ?? Number.POSITIVE_INFINITY));
  const newest = Math.max(...partitions.map((p) => p.newestTimestampMs ?? Number.NEGATIVE_INFINITY));
  const lift = `set message.timestamp.before.max.ms and message.timestamp.after.max.ms to ${unlimitedMs} on "${name}" in ${settings.standby}`;
  if (before !== undefined && oldest < settings.nowMs - before) {
    refuse('TimestampLimit', `refuses records older than ${before} ms, and the source has such`, lift);
  }
  if (after !== undefined && newest > settings.nowMs + after) {
    refuse('TimestampLimit', `refuses records more than ${after} ms in the future, and the source has such`, lift);
  }
  return reasons;
}

/** Producers may leave a timestamp out (-1): no limit is kept then. */
function knownTimestamp(ms: number | undefined): number | undefined {
  return ms === undefined || ms < 0 ? undefined : ms;
}

function judgeLog(
  settings: CheckSettings,
  topic: CheckedTopic,
  p: CheckedPartition,
): CheckReason | 'align' | undefined {
  const { view } = topic;
  const name = `${view.name}-${p.partition}`;
  const reseed = `argus mirror reseed ${view.name}`;
  const alignment = decideAlignment(p);
  if (alignment.kind === 'stop')
    return { code: alignment.stop.reason, message: `${name}: ${alignment.stop.detail}`, alternative: reseed };
  if (alignment.kind === 'align') return alignmentRefusal(settings, topic, p) ?? 'align';
  if (p.sourceStart > p.standbyEnd) {
    return {
      code: 'SourceTruncated',
      message: `${name}: the source deleted [${p.standbyEnd}, ${p.sourceStart}) before the standby in ${settings.standby} had it`,
      alternative: reseed,
    };
  }
  if (p.stop) {
    const { reason, detail } = p.stop;
    return { code: reason, message: `${name}: ${detail}`, alternative: 'take the topic out of `topics`' };
  }
  if (p.foreign) {
    const what = `from offset ${p.foreign.offset} on ${settings.standby} holds other records than ${settings.source}: ${p.foreign.what}`;
    return { code: 'ForeignRecords', message: `${name}: ${what}`, alternative: reseed };
  }
  return undefined;
}

/** Why a log that would have to be aligned can't be. */
function alignmentRefusal(
  { standby }: CheckSettings,
  { view }: CheckedTopic,
  p: CheckedPartition,
): CheckReason | undefined {
  const { name } = view;
  const begins = `${name}-${p.partition}: the source's log begins at ${p.sourceStart}`;
  const code = 'AlignmentRefused';
  const policy = (view.standbyPartitions === undefined ? view.source : view.standby).get('cleanup.policy') ?? 'delete';
  if (!policy.includes('delete')) {
    return {
      code,
      message: `${begins}, and a topic that is only compacted can't delete the placeholders before`,
      alternative: `create "${name}" in ${standby} with cleanup.policy=compact,delete and retention.ms=-1, and set it to compact when it is mirrored`,
    };
  }
  if (p.cut && (p.cut.transactional || !p.cut.whole)) {
    const what = p.cut.transactional ? 'of a transaction' : 'that was compacted';
    return {
      code,
      message: `${begins}, inside a batch ${what}, from ${p.cut.baseOffset}`,
      alternative: 'wait until retention has removed that batch, or delete up to its end (kafka-delete-records)',
    };
  }
  return undefined;
}
