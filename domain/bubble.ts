import { ArgusError } from './errors.ts';

/**
 * What a drill may write to. Every name of a drill is made here, and whoever makes, changes or deletes something for a
 * drill asks {@link requireInBubble} first: a name that isn't the drill's own is refused.
 */
export type BubbleKind = 'topic' | 'group' | 'transactionalId' | 'object' | 'flinkJob' | 'kubernetes';

/** The names of one drill. */
export interface Bubble {
  /** Its run: `20261122T033000Z-drill-ab12`. */
  readonly run: string;
  /** In names: `20261122t033000z-ab12`. */
  readonly tag: string;
  /** The topic in place of one that a job writes. */
  topic(of: string): string;
  /** The consumer group in place of a job's. */
  group(of: string): string;
  /** What the transactional ids of a job's sinks begin with. */
  transactionalIdPrefix(job: string): string;
  /** Where a job writes its checkpoints, a key prefix without slashes at its ends. */
  checkpoints(job: string): string;
  /** What a job is restored from; a key prefix like the other. */
  restore(job: string): string;
  /** The Flink id of the n-th job, from 0: 32 hex digits. */
  flinkJobId(n: number): string;
  /** Name of the n-th job's object in Kubernetes. */
  kubernetes(n: number): string;
}

/** What names of any drill begin with: by these what an interrupted one left is found. */
export const bubblePrefixes = {
  topic: 'argus.drill.',
  group: 'argus-drill-',
  transactionalId: 'argus-drill-',
  object: 'argus/drills/',
  flinkJob: 'd4111d4111',
  kubernetes: 'argus-drill-',
} as const satisfies Record<BubbleKind, string>;

const runPattern = /^(\d{8}T\d{6}Z)-drill-([0-9a-f]{4})$/;

/** The names of a drill, from its run. Pure. Another run's name is a `RangeError`. */
export function bubbleOf(run: string): Bubble {
  const [, stamp, random] = runPattern.exec(run) ?? [];
  if (stamp === undefined || random === undefined) throw new RangeError(`not a drill's run: ${run}`);
  const tag = `${stamp.toLowerCase()}-${random}`;
  const digits = stamp.replaceAll(/\D/g, '');
  const own = {
    topic: `${bubblePrefixes.topic}${tag}.`,
    group: `${bubblePrefixes.group}${tag}-`,
    object: `${bubblePrefixes.object}${tag}/`,
    kubernetes: `${bubblePrefixes.kubernetes}${tag}-`,
  };
  return {
    run,
    tag,
    topic: (of) => fitting(`${own.topic}${of}`),
    group: (of) => `${own.group}${of}`,
    transactionalIdPrefix: (job) => `${own.group}${job}`,
    checkpoints: (job) => `${own.object}${folderName(job)}/checkpoints`,
    restore: (job) => `${own.object}${folderName(job)}/restore`,
    flinkJobId: (n) => `${bubblePrefixes.flinkJob}${digits}${random}${counted(n)}`,
    kubernetes: (n) => `${own.kubernetes}${n}`,
  };
}

/** Whether a name is one of this drill. Pure. */
export function isInBubble({ tag, flinkJobId }: Bubble, kind: BubbleKind, name: string): boolean {
  if (kind === 'flinkJob') return name.length === 32 && name.startsWith(flinkJobId(0).slice(0, 28));
  const own = `${bubblePrefixes[kind]}${tag}`;
  const end = { topic: '.', group: '-', transactionalId: '-', object: '/', kubernetes: '-' }[kind];
  return name.startsWith(`${own}${end}`) && name.length > own.length + 1 && !name.includes('/../');
}

/** Whether a name is one of any drill's. Pure. */
export function isOfSomeDrill(kind: BubbleKind, name: string): boolean {
  if (kind === 'flinkJob') return /^d4111d4111\d{14}[0-9a-f]{8}$/.test(name);
  return (
    name.startsWith(bubblePrefixes[kind]) &&
    /^\d{8}t\d{6}z-[0-9a-f]{4}[./-]./.test(name.slice(bubblePrefixes[kind].length))
  );
}

/** The run of the drill that a name is of; undefined for any other name. Pure. */
export function drillOf(kind: BubbleKind, name: string): string | undefined {
  if (!isOfSomeDrill(kind, name)) return undefined;
  const own = name.slice(bubblePrefixes[kind].length);
  const parts = kind === 'flinkJob' ? /^(\d{8})(\d{6})([0-9a-f]{4})/ : /^(\d{8})t(\d{6})z-([0-9a-f]{4})/;
  const [, day, time, random] = parts.exec(own) ?? [];
  return `${day}T${time}Z-drill-${random}`;
}

/** Refuses (`OutsideBubble`, exit code 3) to touch anything that isn't the drill's own. */
export function requireInBubble(bubble: Bubble, kind: BubbleKind, name: string): void {
  if (isInBubble(bubble, kind, name)) return;
  throw new ArgusError('OutsideBubble', `${name} is no ${kind} of ${bubble.run}: a drill touches nothing but its own`, {
    hint: 'this is a fault of Argus: nothing was changed; report it with the journal of the drill',
    exitCode: 3,
  });
}

const longestTopic = 249;

function fitting(topic: string): string {
  if (topic.length <= longestTopic) return topic;
  throw new ArgusError('TopicNameTooLong', `${topic} has more than ${longestTopic} characters`, {
    hint: 'give the job a topic with a shorter name in `writes`, or leave it out of drills',
    exitCode: 2,
  });
}

/** Characters that keys and URIs don't like are escaped. */
const folderName = (job: string): string =>
  job.replace(/[^A-Za-z0-9.-]/g, (c) => `_${c.codePointAt(0)?.toString(16).padStart(4, '0')}`);

function counted(n: number): string {
  if (!Number.isInteger(n) || n < 0 || n > 0xffff) throw new RangeError(`not a job's number: ${n}`);
  return n.toString(16).padStart(4, '0');
}
