import { ArgusError } from '../../domain/errors.ts';
import { byPartition, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { Region } from '../../regions/region.ts';
import { type VerifiedRange, type VerifyProgress, verifyTopics } from '../../replication/topics/verify.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

interface Options {
  readonly topic?: string;
  readonly partition?: number;
  readonly from?: bigint;
  readonly to?: bigint;
  readonly sample?: number;
}

const tellPaceMs = 2_000;

/** `argus mirror verify`: both sides hold the same records at the same offsets. Exit code 1 when they do not. */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    requireOwnMirror(
      composition.config,
      'mirror verify',
      "MirrorMaker's copy has other offsets: there is nothing to compare offset for offset",
    );
    const { signal, clock } = context;
    const roles = await rolesNow(context, composition);
    const { primary, standby } = await sidesOf(context, composition, roles);
    const wanted = options.topic === undefined ? composition.config.topics : [options.topic];
    const { partitions, compacted, untold } = await onBothSides(primary, standby, wanted, options.partition, signal);
    const begunAt = clock.monotonic();
    let toldAt = begunAt;
    const onProgress = (now: VerifyProgress) => {
      if (clock.monotonic() - toldAt < tellPaceMs) return;
      toldAt = clock.monotonic();
      context.tell(progressLine(now, toldAt - begunAt));
    };
    const { from, to, sample } = options;
    const results = await verifyTopics({
      source: primary.brokers,
      target: standby.brokers,
      partitions,
      compacted,
      clock,
      signal,
      onProgress,
      from,
      to,
      sample,
    });
    const [first] = results.filter((r) => r.difference).sort(byPartition);
    if (context.json) context.print(asJson(results, first, untold));
    else for (const line of asText(results, first, untold, primary.name, standby.name)) context.print(line);
    return first || untold.length > 0 ? 1 : 0;
  });
}

/** The partitions to compare, and those that only one side has. */
async function onBothSides(
  primary: Region,
  standby: Region,
  wanted: readonly string[],
  partition: number | undefined,
  signal: AbortSignal,
) {
  const [here, there] = await Promise.all([
    primary.kafka.describeTopics(wanted, { signal }),
    standby.kafka.describeTopics(wanted, { signal }),
  ]);
  const partitions: TopicPartition[] = [];
  const untold: string[] = [];
  const compacted = new Set<string>();
  for (const topic of wanted) {
    const [a, b] = [here.get(topic)?.partitions ?? 0, there.get(topic)?.partitions ?? 0];
    if (a === 0 && b === 0) {
      throw new ArgusError(
        'TopicMissing',
        `topic "${topic}" exists neither in ${primary.name} nor in ${standby.name}`,
        {
          exitCode: 2,
          hint: 'name a topic of `topics` in argus.yaml',
        },
      );
    }
    if (partition !== undefined && partition >= Math.max(a, b)) {
      throw new ArgusError('PartitionMissing', `topic "${topic}" has no partition ${partition}`, { exitCode: 2 });
    }
    for (let p = 0; p < Math.max(a, b); p++) {
      if (partition !== undefined && p !== partition) continue;
      if (p < a && p < b) partitions.push({ topic, partition: p });
      else untold.push(`${topic}-${p} exists only in ${p < a ? primary.name : standby.name}`);
    }
    for (const [side, count] of [
      [primary, a],
      [standby, b],
    ] as const) {
      const configs = count > 0 ? await side.kafka.topicConfigs(topic, { signal }) : undefined;
      if (configs?.get('cleanup.policy')?.includes('compact')) compacted.add(topic);
    }
  }
  return { partitions, compacted, untold };
}

function progressLine({ done, total, bytes }: VerifyProgress, elapsedMs: number): string {
  const share = total === 0n ? 100 : Number((done * 100n) / total);
  const perSecond = Math.round(bytes / 1_000 / Math.max(1, elapsedMs));
  return `verified ${done} of ${total} offsets (${share} %), ${perSecond} MB/s`;
}

function asJson(results: readonly VerifiedRange[], first: VerifiedRange | undefined, untold: readonly string[]) {
  const document = {
    identical: !first && untold.length === 0,
    firstDifference: first ?? null,
    untold,
    ranges: results,
  };
  return JSON.stringify(document, bigintAsText);
}

function asText(
  results: readonly VerifiedRange[],
  first: VerifiedRange | undefined,
  untold: readonly string[],
  primary: string,
  standby: string,
): readonly string[] {
  const lines = results.map((r) => {
    const notes = [
      ...(r.fillers > 0n ? [`${r.fillers} batches only take up offsets`] : []),
      ...(r.compacted > 0n ? [`${r.compacted} batches changed by compaction, not compared`] : []),
    ];
    const range = `${partitionKey(r)} [${r.fromOffset}, ${r.toOffset})`;
    if (r.difference) return `${range}: differs at ${r.difference.offset}: ${r.difference.what}`;
    return `${range}: same, ${r.records} records in ${r.batches} batches${notes.map((n) => `; ${n}`).join('')}`;
  });
  const sum = results.reduce((n, r) => n + r.records, 0n);
  const verdict = first
    ? `${primary} and ${standby} differ first in ${partitionKey(first)} at offset ${first.difference?.offset}: ${first.difference?.what}`
    : `${primary} and ${standby} hold the same ${sum} records at the same offsets`;
  return [...lines, ...untold, verdict];
}
