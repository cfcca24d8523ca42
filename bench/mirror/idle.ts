import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from './broker.ts';
import type { MirrorTool } from './mirror-tool.ts';
import type { Stage } from './stage.ts';
import { type Spread, spread } from './statistics.ts';
import { cpuSeconds, residentMiB } from './usage.ts';

export interface IdlePlan {
  readonly topics: number;
  readonly partitionsEach: number;
  readonly seconds: number;
}

export interface IdleRun {
  readonly partitions: number;
  /** Of the mirror's process, of one core, in percent. */
  readonly cpuPercent: number;
  readonly sourceCpuPercent: number;
  readonly standbyCpuPercent: number;
  readonly residentMiB: number;
  readonly peakMiB: number;
  /** One look at all log ends of both sides. */
  readonly lagRoundMs: Spread;
}

const settleSeconds = 15;
const rounds = 20;

/** A mirror of many partitions in which nothing happens, between brokers of its own. */
export async function measureIdle(stage: Stage, tool: MirrorTool, plan: IdlePlan): Promise<IdleRun> {
  const settings = { 'log.index.size.max.bytes': '4096' };
  const [source, target] = await Promise.all([
    startBroker(stage, 'idle-source', settings),
    startBroker(stage, 'idle-standby', settings),
  ]);
  const topics = Array.from({ length: plan.topics }, (_, i) => ({
    topic: `idle-${i}`,
    partitions: plan.partitionsEach,
  }));
  for (const { topic, partitions } of topics) {
    stage.say(`  creating ${topic} with ${partitions} partitions on both sides`);
    await Promise.all([source.createTopic(topic, partitions), target.createTopic(topic, partitions)]);
  }
  const all = topics.flatMap(({ topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );
  const ends = [source.cluster(), target.cluster()];
  for (const cluster of ends)
    await cluster.refresh(
      topics.map((t) => t.topic),
      stage.signal,
    );
  const round = async () => {
    const from = performance.now();
    await Promise.all(ends.map((cluster) => cluster.logEnds(all, stage.signal)));
    return performance.now() - from;
  };
  // The first call after the topics' creation makes the brokers load their logs.
  await round();
  const batches = { compression: 'none', batchBytes: 16_384 } as const;
  const mirror = await tool.start({ source, target, sourceAddress: source.address, topics, batches });
  try {
    await sleep(settleSeconds * 1000, undefined, { signal: stage.signal });
    const use = () => [mirror.pid, source.pid, target.pid].map(cpuSeconds);
    const before = use();
    const from = performance.now();
    await sleep(plan.seconds * 1000, undefined, { signal: stage.signal });
    const elapsed = (performance.now() - from) / 1000;
    const [cpuPercent, sourceCpuPercent, standbyCpuPercent] = use().map(
      (after, i) => ((after - (before[i] as number)) / elapsed) * 100,
    ) as [number, number, number];
    const resident = residentMiB(mirror.pid);
    const lagRounds: number[] = [];
    for (let i = 0; i < rounds; i++) lagRounds.push(await round());
    return {
      partitions: all.length,
      cpuPercent,
      sourceCpuPercent,
      standbyCpuPercent,
      residentMiB: resident.now,
      peakMiB: resident.peak,
      lagRoundMs: spread(lagRounds),
    };
  } finally {
    for (const cluster of ends) cluster.close();
    await mirror.stop();
    await Promise.all([source.stop(), target.stop()]);
  }
}
