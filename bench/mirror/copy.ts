import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { BenchBroker } from './broker.ts';
import type { CopyTask, MirrorTool } from './mirror-tool.ts';
import type { Shape } from './shapes.ts';
import type { Stage } from './stage.ts';
import { cpuSeconds, residentMiB, runs } from './usage.ts';

/** One copy of a topic, from the first mirrored record that was seen to the last. */
export interface CopyRun {
  readonly wallSeconds: number;
  readonly records: number;
  /** Of the mirror's process. */
  readonly cpuSeconds: number;
  /** The same with the process' start. */
  readonly cpuSecondsWithStart: number;
  /** Of the standby's broker. */
  readonly brokerCpuSeconds: number;
  readonly peakMiB: number;
  /** From the start of the process to the first record. */
  readonly startSeconds: number;
  /** Load average over the last minute, before. */
  readonly load: number;
}

const stalledMs = 120_000;

/** Lets a tool copy a shape's topic, which gets a new topic on the standby. */
export async function measureCopy(
  stage: Stage,
  tool: MirrorTool,
  shape: Shape,
  source: BenchBroker,
  target: BenchBroker,
  sourceAddress = source.address,
): Promise<CopyRun> {
  await freshTopic(stage, target, shape);
  const load = loadavg()[0] ?? 0;
  const cluster = target.cluster();
  const partitions = partitionsOf(shape);
  await cluster.refresh([shape.id], stage.signal);
  const wanted = tool.copiesMarkers ? await countAt(source, partitions, stage.signal) : shape.records;
  const task: CopyTask = {
    source,
    target,
    sourceAddress,
    topics: [{ topic: shape.id, partitions: shape.partitions }],
    batches: shape,
  };
  const startedAt = performance.now();
  const mirror = await tool.start(task);
  const use = () => ({ at: performance.now(), cpu: cpuSeconds(mirror.pid), broker: cpuSeconds(target.pid) });
  try {
    let copied = await untilMore(stage, cluster, partitions, mirror.pid, 0, 5);
    const first = use();
    while (copied < wanted) copied = await untilMore(stage, cluster, partitions, mirror.pid, copied, 20);
    const last = use();
    return {
      wallSeconds: (last.at - first.at) / 1000,
      records: shape.records,
      cpuSeconds: last.cpu - first.cpu,
      cpuSecondsWithStart: last.cpu,
      brokerCpuSeconds: last.broker - first.broker,
      peakMiB: residentMiB(mirror.pid).peak,
      startSeconds: (first.at - startedAt) / 1000,
      load,
    };
  } finally {
    cluster.close();
    await mirror.stop();
    await target.deleteTopics((topic) => topic === shape.id);
  }
}

/** A new, empty topic for a shape. */
export async function freshTopic(stage: Stage, target: BenchBroker, shape: Shape): Promise<void> {
  await target.deleteTopics((topic) => topic === shape.id);
  // What the last copy left to be deleted and written shall not be paid for by this one.
  await sleep(1_500, undefined, { signal: stage.signal });
  await target.createTopic(shape.id, shape.partitions);
}

export function partitionsOf(shape: Pick<Shape, 'id' | 'partitions'>): readonly TopicPartition[] {
  return Array.from({ length: shape.partitions }, (_, partition) => ({ topic: shape.id, partition }));
}

async function countAt(broker: BenchBroker, partitions: readonly TopicPartition[], signal: AbortSignal) {
  const cluster = broker.cluster();
  try {
    await cluster.refresh([...new Set(partitions.map((p) => p.topic))], signal);
    return await count(cluster, partitions, signal);
  } finally {
    cluster.close();
  }
}

/** Offsets taken in all partitions of a topic, which begins at offset 0. */
async function count(cluster: KafkaCluster, partitions: readonly TopicPartition[], signal: AbortSignal) {
  const ends = await cluster.logEnds(partitions, signal);
  return Number([...ends.values()].reduce((sum, end) => sum + end, 0n));
}

async function untilMore(
  stage: Stage,
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  pid: number,
  known: number,
  everyMs: number,
): Promise<number> {
  for (const deadline = performance.now() + stalledMs; performance.now() < deadline; ) {
    const copied = await count(cluster, partitions, stage.signal);
    if (copied > known) return copied;
    if (!runs(pid)) throw new Error(`the mirror ended after ${copied} records; its log is in ${stage.dir}/logs`);
    await sleep(everyMs, undefined, { signal: stage.signal });
  }
  throw new Error(`the mirror stands at ${known} records for ${stalledMs / 1000} s`);
}
