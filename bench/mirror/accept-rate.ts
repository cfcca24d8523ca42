import type { BenchBroker } from './broker.ts';
import { freshTopic } from './copy.ts';
import type { Shape } from './shapes.ts';
import { type Stage, startNode } from './stage.ts';
import { cpuSeconds } from './usage.ts';

/** What the standby's broker takes of prepared batches. */
export interface AcceptRun {
  readonly wallSeconds: number;
  readonly records: number;
  readonly senderCpuSeconds: number;
  readonly brokerCpuSeconds: number;
}

/** Sends the shape's own batches, fetched before the clock starts, as fast as the standby's broker takes them. */
export async function measureAcceptRate(
  stage: Stage,
  shape: Shape,
  source: BenchBroker,
  target: BenchBroker,
  connections: number,
): Promise<AcceptRun> {
  await freshTopic(stage, target, shape);
  const sender = startNode(stage, 'accept-rate-process', {
    source: source.address,
    target: target.address,
    topic: shape.id,
    partitions: shape.partitions,
    records: shape.records,
    connections,
  });
  await sender.message<'prepared'>();
  const before = cpuSeconds(target.pid);
  const done = await sender.message<Omit<AcceptRun, 'brokerCpuSeconds'>>();
  const brokerCpuSeconds = cpuSeconds(target.pid) - before;
  await target.deleteTopics((topic) => topic === shape.id);
  return { ...done, brokerCpuSeconds };
}
