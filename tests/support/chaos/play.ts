import { setTimeout as sleep } from 'node:timers/promises';
import { wallClock } from '../../../daemon/wall-clock.ts';
import type { TopicPartition } from '../../../domain/offsets.ts';
import { PlatformaticAdmin } from '../../../regions/kafka/platformatic-admin.ts';
import { Mirror, type MirrorOptions } from '../../../replication/topics/mirror.ts';
import { prepareTopics } from '../../../replication/topics/prepare-topics.ts';
import { verifyTopics } from '../../../replication/topics/verify.ts';
import type { LinkedPair } from './mirror-link.ts';
import { type KilledMirror, startKilledMirror } from './mirror-lives.ts';
import { type ChaosCounts, type Disturbance, planChaos } from './plan.ts';
import { patientClient, readLog } from './reader.ts';
import { startWriter } from './writer.ts';

export interface ChaosOptions extends ChaosCounts {
  /** The same seed gives the same disturbances at the same times; the machine's own timing remains. */
  readonly seed: number;
  readonly transactions: boolean;
  readonly say: (line: string) => void;
}

/** What was found afterwards; a mirror that keeps its promise leaves every list empty. */
export interface ChaosResult {
  /** Ends of the mirror's process that nobody caused, and partitions that it mirrored no further. */
  readonly complaints: readonly string[];
  /** Of `verifyTopics`, over all offsets. */
  readonly differences: readonly string[];
  /** Records that were acknowledged and that a reader doesn't find at their offset. */
  readonly missing: readonly string[];
  /** The first records that readers of both sides get otherwise. */
  readonly readOtherwise: readonly string[];
  readonly acknowledged: number;
  readonly offsets: bigint;
  /** Kills that found the standby's log longer than the one before. */
  readonly killsAtWork: number;
}

const partitionCount = 6;
/** How long a mirror may take to get to work, while its brokers may be away; then it is killed all the same. */
const patienceMs = 60_000;

/** Disturbs a mirror under load as the seed says, lets it catch up, and compares both sides in every way. */
export async function playChaos(pair: LinkedPair, options: ChaosOptions): Promise<ChaosResult> {
  const { seed, transactions, say } = options;
  const topic = `chaos-${seed}`;
  const near = { source: pair.brokers.source.address, standby: pair.brokers.standby.address };
  const admins = {
    source: new PlatformaticAdmin({ region: 'mumbai', bootstrap: [near.source] }),
    standby: new PlatformaticAdmin({ region: 'singapore', bootstrap: [near.standby] }),
  };
  await admins.source.createTopic({ name: topic, partitions: partitionCount, configs: {} });
  const [source, standby] = [
    { name: 'mumbai', kafka: admins.source },
    { name: 'singapore', kafka: admins.standby },
  ];
  const { partitions } = await prepareTopics(source, standby, [topic]);
  const settings = {
    source: { name: 'mumbai', bootstrap: [pair.farAddress.source] },
    target: { name: 'singapore', bootstrap: [pair.farAddress.standby] },
    partitions,
    producer: await admins.standby.initProducer(`mirror-${topic}`),
  };
  const writer = startWriter({
    client: patientClient(near.source),
    topic,
    partitions: partitionCount,
    seed,
    transactions,
  });
  const mirror = startKilledMirror(settings);
  const end = async () => {
    const ranges = await admins.standby.logRanges(partitions, { signal: AbortSignal.timeout(5_000) });
    return ranges.reduce((sum, r) => sum + r.logEndOffset, 0n);
  };
  let complaints: readonly string[] = [];
  let killsAtWork = 0;
  try {
    killsAtWork = await disturb(pair, mirror, options, end);
  } finally {
    complaints = await mirror.stop();
    await Promise.all([pair.links.source.restore(), pair.links.standby.restore()]);
    await writer.stop();
  }
  say(`${writer.acknowledged.size} records acknowledged, ${writer.unanswered()} sends without an answer`);
  complaints = [...complaints, ...(await catchUp(settings, admins.source, topic))];
  const verified = await verifyTopics({
    source: { name: 'mumbai', bootstrap: [near.source] },
    target: { name: 'singapore', bootstrap: [near.standby] },
    partitions,
    compacted: new Set(),
    clock: wallClock,
    signal: AbortSignal.timeout(300_000),
  });
  const ends = await admins.source.logRanges(partitions);
  await Promise.all([admins.source.close(), admins.standby.close()]);
  const differences = verified.flatMap((r, i) => {
    const whole = r.fromOffset === 0n && r.toOffset === ends[i]?.logEndOffset;
    const name = `${topic}-${r.partition}`;
    if (!whole) return [`${name}: only ${r.fromOffset} to ${r.toOffset} of ${ends[i]?.logEndOffset} on both sides`];
    return r.difference ? [`${name} at ${r.difference.offset}: ${r.difference.what}`] : [];
  });
  const readings = await compareReaders(near, topic, writer.acknowledged, transactions);
  return {
    complaints,
    differences,
    ...readings,
    acknowledged: writer.acknowledged.size,
    offsets: verified.reduce((sum, r) => sum + r.toOffset - r.fromOffset, 0n),
    killsAtWork,
  };
}

/** Does what is planned at its time; gives the kills of the mirror that found it at work. */
async function disturb(
  pair: LinkedPair,
  mirror: KilledMirror,
  options: ChaosOptions,
  end: () => Promise<bigint>,
): Promise<number> {
  const startedAt = performance.now();
  /** What happens to one of them happens one after the other. */
  const subjects = new Map<string, Promise<void>>();
  let [seen, killsAtWork, kills] = [0n, 0, 0];
  const act = async (what: Disturbance) => {
    switch (what.kind) {
      case 'kill-mirror': {
        const patienceEnds = performance.now() + patienceMs;
        let now = await end().catch(() => -1n); // Its broker is away.
        while (!what.early && now <= seen && performance.now() < patienceEnds) {
          await sleep(50);
          now = await end().catch(() => -1n); // As above.
        }
        if (!what.early) await sleep(what.afterMs);
        await mirror.kill(what.smallFetches ? { fetchMaxBytes: 65_536, partitionMaxBytes: 16_384 } : {});
        if (now > seen) killsAtWork++;
        if (now > seen) seen = now;
        if (++kills % 20 === 0) options.say(`${kills} kills, ${killsAtWork} of them at work, standby's end ${seen}`);
        return;
      }
      case 'kill-broker':
        await pair.brokers[what.side].kill();
        await sleep(what.downMs);
        await pair.brokers[what.side].start();
        return;
      case 'cut':
        await pair.links[what.side].cut();
        await sleep(what.forMs);
        await pair.links[what.side].restore();
        return;
      case 'delay':
        await pair.links[what.side].delay(what.delayMs);
        await sleep(what.forMs);
        await pair.links[what.side].delay(0);
        return;
      default:
        what satisfies never;
    }
  };
  for (const { atMs, what } of planChaos(options.seed, options)) {
    const waitMs = atMs - (performance.now() - startedAt);
    if (waitMs > 0) await sleep(waitMs);
    const subject =
      what.kind === 'kill-mirror' ? 'mirror' : `${what.kind === 'kill-broker' ? 'broker' : 'link'} ${what.side}`;
    const done = (subjects.get(subject) ?? Promise.resolve()).then(() => act(what));
    done.catch(() => undefined); // Awaited at the end.
    subjects.set(subject, done);
  }
  await Promise.all(subjects.values());
  return killsAtWork;
}

/** Mirrors on without disturbance until the standby has all; gives what stands in the way. */
async function catchUp(
  settings: Omit<MirrorOptions, 'clock'>,
  source: PlatformaticAdmin,
  topic: string,
): Promise<readonly string[]> {
  const wanted = (await source.logRanges(settings.partitions as TopicPartition[])).map((r) => r.logEndOffset);
  const mirror = new Mirror({ ...settings, clock: wallClock });
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  try {
    for (const deadline = performance.now() + 120_000; ; await sleep(50)) {
      const states = mirror.status().topics[topic]?.partitions ?? [];
      const stops = states.flatMap((p) =>
        p.stop ? [`${topic}-${p.partition} ${p.stop.reason}: ${p.stop.detail}`] : [],
      );
      if (stops.length > 0) return stops;
      if (states.length > 0 && states.every((p, i) => p.mirroredEndOffset === wanted[i])) return [];
      if (performance.now() > deadline) {
        return states.map(
          (p) => `${topic}-${p.partition} stands at ${p.mirroredEndOffset}: ${p.trouble ?? 'no trouble'}`,
        );
      }
    }
  } finally {
    stopping.abort();
    await running;
  }
}

async function compareReaders(
  near: Readonly<Record<'source' | 'standby', string>>,
  topic: string,
  acknowledged: ReadonlyMap<string, string>,
  transactions: boolean,
): Promise<Pick<ChaosResult, 'missing' | 'readOtherwise'>> {
  const missing: string[] = [];
  const readOtherwise: string[] = [];
  for (const uncommitted of transactions ? [false, true] : [false]) {
    const read = (address: string) => readLog(patientClient(address), topic, partitionCount, acknowledged, uncommitted);
    const here = await read(near.source);
    const there = await read(near.standby);
    missing.push(...here.missing.map((m) => `source: ${m}`), ...there.missing.map((m) => `standby: ${m}`));
    for (const [p, records] of here.records.entries()) {
      const others = there.records[p] ?? [];
      const at = Math.max(records.length, others.length);
      const first = Array.from({ length: at }, (_, i) => i).find((i) => records[i] !== others[i]);
      if (first === undefined) continue;
      readOtherwise.push(`${topic}-${p}: record ${first} is ${records[first]} here and ${others[first]} there`);
    }
  }
  return { missing, readOtherwise };
}
