import type { FlinkPulse } from '../regions/flink/flink-jobs.ts';
import type { KafkaCluster } from '../regions/kafka/kafka-cluster.ts';
import type { Region } from '../regions/region.ts';
import type { Probe } from './probe.ts';
import type { ProbeTaskParts } from './probe-tasks.ts';
import { type ClockReading, probeClock } from './probes/clock.ts';
import { probeFlink } from './probes/flink.ts';
import { heldUpPart, judgeJob } from './probes/job.ts';
import { probeBrokers } from './probes/kafka.ts';
import { probeKafkaWrite } from './probes/kafka-write.ts';
import { probeCanary, probeCanaryRead } from './probes/objects.ts';
import { type ProbeTask, type Sight, sightOf } from './sight.ts';

/** Connections of an observer's own, so that nothing else that hangs delays a look. */
export interface RegionProbeLinks {
  /** Two of them for each region: a write that hangs must not delay the question whether brokers answer. */
  kafka(region: string, use: 'ask' | 'write'): KafkaCluster;
  /** This machine's clock beside the region's; undefined: nothing there tells the time. */
  clock(region: string, call: { readonly signal: AbortSignal }): Promise<ClockReading | undefined>;
}

/** Topics that are asked about in one look; more are asked about in turn. */
const topicsAtOnce = 100;
/** The whole circle of an object: put, get, list. Between two of them it is only read, which costs less. */
const canaryPeriodMs = 30_000;
const clockPeriodMs = 30_000;
const pulsePeriodMs = 10_000;

/** How a job has fared, and in the time since the pulse before. */
interface Pulse extends FlinkPulse {
  readonly atMs: number;
  readonly heldUp?: number;
}

/** What is looked at in one region, whoever is primary; of its jobs only that one runs where none should, while it isn't. */
export function regionTasks(parts: ProbeTaskParts, region: Region, primary: () => string): readonly ProbeTask[] {
  const { config, clock, links, observer } = parts;
  const { period: periodMs, deadline: deadlineMs, writes, topic, clockSkew } = config.probes;
  const { name } = region;
  const options = (signal: AbortSignal) => ({ clock, deadlineMs, signal });
  const task = (
    kind: Sight['probe'],
    ownPeriodMs: number,
    look: (signal: AbortSignal) => Promise<Probe>,
  ): ProbeTask => ({
    name: `${kind} ${name}`,
    periodMs: ownPeriodMs,
    look: async ({ signal }) => [sightOf({ probe: kind, region: name }, await look(signal))],
  });
  return [
    task('kafka', periodMs, kafkaLook(parts, name, options)),
    ...(writes
      ? [
          task('kafka-write', periodMs, (signal) => {
            const kafka = { admin: region.kafka, cluster: links.kafka(name, 'write') };
            return probeKafkaWrite(kafka, topic, { observer, atMs: clock.now() }, options(signal));
          }),
        ]
      : []),
    task('objects', periodMs, objectsLook(parts, region, options)),
    flinkTask(parts, region, primary, options),
    task('clock', clockPeriodMs, (signal) =>
      probeClock(name, (call) => links.clock(name, call), clockSkew, options(signal)),
    ),
  ];
}

type OptionsOf = (signal: AbortSignal) => Parameters<typeof probeCanary>[3] & { readonly deadlineMs: number };

function kafkaLook({ config, links }: ProbeTaskParts, name: string, options: OptionsOf) {
  const { topics } = config;
  let from = 0;
  return async (signal: AbortSignal): Promise<Probe> => {
    const some = topics.slice(from, from + topicsAtOnce);
    from = from + topicsAtOnce >= topics.length ? 0 : from + topicsAtOnce;
    const { value, ...seen } = await probeBrokers(links.kafka(name, 'ask'), some, options(signal));
    const behind = value?.underReplicated ?? 0;
    if (behind === 0) return seen;
    return {
      ...seen,
      code: 'UnderReplicated',
      reason: `${behind} partitions have fewer replicas in sync than they have`,
    };
  };
}

function objectsLook({ config, clock, observer }: ProbeTaskParts, region: Region, options: OptionsOf) {
  let wholeAtMs = Number.NEGATIVE_INFINITY;
  return async (signal: AbortSignal): Promise<Probe> => {
    const whole = config.probes.writes && clock.monotonic() - wholeAtMs >= canaryPeriodMs;
    if (!whole) return probeCanaryRead(region.objects, observer, options(signal));
    const content = `${JSON.stringify({ observer, atMs: clock.now() })}\n`;
    const seen = await probeCanary(region.objects, observer, content, options(signal));
    // After a failure it is the whole circle again, so that a store that only reads isn't called well.
    if (seen.status === 'ok') wholeAtMs = clock.monotonic();
    return seen;
  };
}

function flinkTask(parts: ProbeTaskParts, region: Region, primary: () => string, options: OptionsOf): ProbeTask {
  const { config, clock } = parts;
  const { name, flink } = region;
  const intervals = new Map<string, number | undefined>();
  const runningSince = new Map<string, number>();
  const pulses = new Map<string, Pulse>();
  /** Asked every few seconds; what can't be told is left out, and the newest stands until the next. */
  const pulse = async (id: string, signal: AbortSignal): Promise<Pulse | undefined> => {
    const before = pulses.get(id);
    const atMs = clock.monotonic();
    if (!flink.pulse || (before && atMs - before.atMs < pulsePeriodMs)) return before;
    const told = await flink.pulse(id, { signal }).catch(() => undefined);
    if (!told) return undefined;
    const heldUp = before && heldUpPart(before.heldUpMs, told.heldUpMs, atMs - before.atMs);
    const now = { ...told, atMs, ...(heldUp === undefined ? {} : { heldUp }) };
    pulses.set(id, now);
    return now;
  };
  const interval = async (id: string, signal: AbortSignal) => {
    if (!intervals.has(id)) {
      const settings = await flink.settings(id, { signal }).catch(() => undefined);
      if (settings) intervals.set(id, settings.checkpointing?.intervalMs);
    }
    return intervals.get(id);
  };
  return {
    name: `flink ${name}`,
    periodMs: config.probes.period,
    async look({ signal }) {
      const configured = config.jobs.map((j) => j.name);
      const wanted = name === primary() ? configured : [];
      const { value, ...seen } = await probeFlink(flink, wanted, options(signal));
      const { latencyMs } = seen;
      // Where none should run, silence says nothing: only one that runs is told.
      const strays = configured.filter((job) => !wanted.includes(job) && value?.running.has(job) === true);
      const jobs = wanted.map(async (job): Promise<Sight> => {
        const about = { probe: 'job', region: name, subject: job } as const;
        if (!value) {
          runningSince.delete(job);
          return sightOf(about, { status: 'unknown', latencyMs, reason: 'Flink does not tell', code: 'FlinkSilent' });
        }
        const found = value.jobs.get(job);
        if (found?.state !== 'RUNNING') runningSince.delete(job);
        else if (!runningSince.has(job)) runningSince.set(job, clock.monotonic());
        const within = AbortSignal.any([signal, AbortSignal.timeout(config.probes.deadline)]);
        const [intervalMs, fared] = found
          ? await Promise.all([interval(found.id, within), pulse(found.id, within)])
          : [undefined, undefined];
        const judged = judgeJob(
          {
            name: job,
            ...(found ? { job: found } : {}),
            ...(found?.checkpoints ? { checkpoints: found.checkpoints } : {}),
            ...(intervalMs === undefined ? {} : { intervalMs }),
            ...(fared?.restarts === undefined ? {} : { restarts: fared.restarts }),
            ...(fared?.heldUp === undefined ? {} : { heldUp: fared.heldUp }),
            runningForMs: clock.monotonic() - (runningSince.get(job) ?? clock.monotonic()),
          },
          clock.now(),
        );
        return sightOf(about, { ...judged, latencyMs });
      });
      return [
        sightOf({ probe: 'flink', region: name }, seen),
        ...(await Promise.all(jobs)),
        ...strays.map((job) => ({ probe: 'job', region: name, subject: job, status: 'ok', latencyMs }) as const),
      ];
    },
  };
}
