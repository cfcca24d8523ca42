import { ArgusError } from '../domain/errors.ts';
import type { StoreClock } from '../regions/objects/store-clock.ts';
import type { Probe, ProbeOf } from './probe.ts';
import type { KafkaFacts } from './probes/kafka.ts';

/** For which command the regions are looked at. */
export type PreflightPurpose = 'failover' | 'mirror' | 'checkpoints' | 'daemon' | 'config-check';

export interface PreflightRegion {
  readonly name: string;
  readonly kafka: ProbeOf<KafkaFacts>;
  readonly objects: Probe;
  readonly flink: Probe;
  /** Its API server; absent: there is none, or nobody asks it. */
  readonly kubernetes?: Probe;
  /** How far this machine's clock is ahead of the object store's; absent when it can't be told. */
  readonly objectsClock?: StoreClock;
}

/** What was seen before a command does anything. */
export interface PreflightFacts {
  readonly primary: PreflightRegion;
  readonly standby: PreflightRegion;
  readonly dnsApi: Probe;
  readonly resolvers: readonly { readonly server: string; readonly probe: Probe }[];
  /** Whether each job's jar can be read on this machine. */
  readonly jars: readonly { readonly job: string; readonly probe: Probe }[];
  readonly topics: readonly string[];
  /** Partition counts on the primary as last sighted, for when it is dark. */
  readonly sightedPartitions: Readonly<Record<string, number>>;
  /** The topics were found by patterns. */
  readonly topicsByPattern?: boolean;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface PreflightVerdict {
  /** The command must not begin. */
  readonly errors: readonly Problem[];
  /** It may begin, and says so. */
  readonly warnings: readonly Problem[];
  readonly primaryKafkaAnswers: boolean;
}

type Need = 'must-answer' | 'must-not-refuse' | 'told';

interface RegionNeeds {
  readonly kafka?: Need;
  readonly objects?: Need;
  readonly flink?: Need;
  readonly kubernetes?: Need;
}

/**
 * How much each command needs of each component: an answer; no refusal (being away is told only); or nothing, and then
 * nobody looks at it.
 */
export const preflightNeeds: Record<
  PreflightPurpose,
  {
    readonly primary: RegionNeeds;
    readonly standby: RegionNeeds;
    readonly dns?: Need;
    readonly jars?: Need;
    readonly partitions: boolean;
  }
> = {
  failover: {
    // It may well be dead: that is what a failover is for.
    primary: { kafka: 'told', objects: 'told', flink: 'told' },
    standby: { kafka: 'must-answer', objects: 'must-answer', flink: 'must-answer' },
    dns: 'must-answer',
    jars: 'must-answer',
    partitions: true,
  },
  mirror: { primary: { kafka: 'must-answer' }, standby: { kafka: 'must-answer' }, partitions: true },
  checkpoints: { primary: { objects: 'must-answer' }, standby: { objects: 'must-answer' }, partitions: false },
  daemon: {
    primary: { kafka: 'must-not-refuse', objects: 'must-not-refuse' },
    standby: { kafka: 'must-answer', objects: 'must-answer' },
    // Replication does without them, a failover does not: better told on a quiet day.
    dns: 'told',
    jars: 'told',
    partitions: true,
  },
  'config-check': {
    primary: { kafka: 'must-answer', objects: 'must-answer', flink: 'must-answer', kubernetes: 'must-answer' },
    standby: { kafka: 'must-answer', objects: 'must-answer', flink: 'must-answer', kubernetes: 'must-answer' },
    dns: 'must-answer',
    jars: 'must-answer',
    partitions: true,
  },
};

/** Codes that say "answered, and refused": credentials or names that are wrong, which no waiting mends. */
const refusals = new Set(['KafkaDenied', 'ObjectStoreDenied', 'BucketMissing', 'DnsDenied', 'DnsZoneMissing']);

/** Whether a command may begin, by what was seen. Pure. Every problem once, in the order of the regions. */
export function decidePreflight(purpose: PreflightPurpose, facts: PreflightFacts): PreflightVerdict {
  const errors: Problem[] = [];
  const warnings: Problem[] = [];
  const need = preflightNeeds[purpose];
  const judge = (what: string, seen: Probe, wanted: Need | undefined) => {
    if (wanted === undefined || seen.status === 'ok') return;
    const problem = problemOf(what, seen);
    const refused = seen.code !== undefined && refusals.has(seen.code);
    const fatal = wanted === 'must-answer' || (wanted === 'must-not-refuse' && refused);
    (fatal ? errors : warnings).push(problem);
  };
  for (const role of ['primary', 'standby'] as const) {
    const region = facts[role];
    judge(`Kafka of ${region.name}`, region.kafka, need[role].kafka);
    judge(`the object store of ${region.name}`, region.objects, need[role].objects);
    if (region.kubernetes) judge(`Kubernetes of ${region.name}`, region.kubernetes, need[role].kubernetes);
    judge(`Flink of ${region.name}`, region.flink, need[role].flink);
    if (need[role].objects !== undefined) warnings.push(...clockProblems(region));
  }
  judge('the DNS provider', facts.dnsApi, need.dns);
  for (const r of facts.resolvers) judge(`the resolver ${r.server}`, r.probe, need.dns && 'told');
  for (const jar of facts.jars) judge(`the jar of job ${jar.job}`, jar.probe, need.jars);
  if (need.partitions) errors.push(...partitionProblems(purpose, facts));
  return { errors, warnings, primaryKafkaAnswers: facts.primary.kafka.status === 'ok' };
}

function partitionProblems(purpose: PreflightPurpose, facts: PreflightFacts): readonly Problem[] {
  const { primary, standby } = facts;
  const there = standby.kafka.value?.topics;
  if (!there) return [];
  return facts.topics.flatMap((topic): Problem[] => {
    const here = primary.kafka.value ? primary.kafka.value.topics.get(topic) : facts.sightedPartitions[topic];
    const copy = there.get(topic);
    if (here === undefined) {
      // One that was found by a pattern may be deleted; the standby's copy stays.
      if (!primary.kafka.value || purpose === 'failover' || facts.topicsByPattern) return [];
      const message = `topic "${topic}" does not exist in ${primary.name}`;
      return [{ code: 'TopicMissing', message, hint: 'create it, or take it out of `topics`' }];
    }
    if (copy === undefined || copy === here) return [];
    // The mirror adds what the standby lacks.
    if (copy < here && purpose !== 'failover') return [];
    return [
      {
        code: 'PartitionCountDiffers',
        message: `topic "${topic}" has ${copy} partitions in ${standby.name} and ${here} in ${primary.name}: keys would lie elsewhere`,
        hint: `if nothing of value is in it, delete "${topic}" in ${standby.name}: the mirror makes it anew`,
      },
    ];
  });
}

/** Stores refuse what was signed 15 minutes ago or ahead; and ages are told by both clocks. */
const skewMs = 60_000;

function clockProblems({ name, objectsClock }: PreflightRegion): readonly Problem[] {
  if (objectsClock === undefined || Math.abs(objectsClock.aheadMs) - objectsClock.uncertaintyMs <= skewMs) return [];
  const seconds = Math.round(Math.abs(objectsClock.aheadMs) / 1_000);
  const where = objectsClock.aheadMs > 0 ? 'ahead of' : 'behind';
  const message = `this machine's clock is ${seconds} s ${where} that of the object store of ${name}: from 15 min on it refuses every request`;
  return [{ code: 'ClockSkewed', message, hint: 'set the clocks by NTP' }];
}

function problemOf(what: string, seen: Probe): Problem {
  // An adapter's message may begin with the region that is named here already.
  const reason = seen.reason?.replace(/^([a-z0-9-]+): /, (found, name) => (what.endsWith(` ${name}`) ? '' : found));
  const message =
    seen.status === 'unknown' ? `${what} does not answer: ${reason ?? 'no answer'}` : `${what}: ${reason ?? 'failed'}`;
  return { code: seen.code ?? 'ProbeFailed', message, ...(seen.hint === undefined ? {} : { hint: seen.hint }) };
}

/** The verdict's errors as one `ArgusError` of exit code 2; undefined when there are none. */
export function preflightError(verdict: PreflightVerdict): ArgusError | undefined {
  const [first] = verdict.errors;
  if (!first) return undefined;
  const hints = [...new Set(verdict.errors.flatMap((e) => (e.hint === undefined ? [] : [e.hint])))];
  return new ArgusError(first.code, verdict.errors.map((e) => e.message).join('\n'), {
    exitCode: 2,
    hint: hints.length > 0 ? hints.join('; ') : 'nothing was changed; `argus status` shows every component',
  });
}
