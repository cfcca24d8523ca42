import type { BenchBroker } from './broker.ts';
import { freshTopic } from './copy.ts';
import type { MirrorTool } from './mirror-tool.ts';
import { type Stage, startNode } from './stage.ts';

/** Times in milliseconds. */
export interface LatencyRun {
  readonly records: number;
  /** From the produce call to the source's acknowledgement. */
  readonly ack: { readonly p50: number; readonly p99: number };
  /** From the source's acknowledgement until a reader of the standby has the record. */
  readonly mirrored: { readonly p50: number; readonly p99: number };
}

export interface LatencyPlan {
  readonly recordsPerSecond: number;
  /** Sent before those that count: mirrors and brokers compile their code meanwhile. */
  readonly warmupSeconds: number;
  readonly seconds: number;
}

const shape = {
  id: 'latency',
  partitions: 1,
  records: 0,
  recordBytes: 200,
  compression: 'none',
  batchBytes: 16_384,
} as const;

/** Sends single records at a rate to the source and watches them arrive at the standby. */
export async function measureLatency(
  stage: Stage,
  tool: MirrorTool,
  plan: LatencyPlan,
  source: BenchBroker,
  target: BenchBroker,
): Promise<LatencyRun> {
  await freshTopic(stage, source, shape);
  await freshTopic(stage, target, shape);
  const mirror = await tool.start({
    source,
    target,
    sourceAddress: source.address,
    topics: [{ topic: shape.id, partitions: shape.partitions }],
    batches: shape,
    lowLatency: true,
  });
  try {
    const settings = { ...plan, source: source.address, target: target.address, topic: shape.id };
    return await startNode(stage, 'latency-process', settings).message<LatencyRun>();
  } finally {
    await mirror.stop();
    await source.deleteTopics((topic) => topic === shape.id);
    await target.deleteTopics((topic) => topic === shape.id);
  }
}
