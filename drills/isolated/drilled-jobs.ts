import type { Bubble } from '../../domain/bubble.ts';
import { requireInBubble } from '../../domain/bubble.ts';
import type { JobConfig } from '../../domain/config.ts';
import type { Failure } from '../../state/journal.ts';
import type { DrilledJob } from './context.ts';

const placeholder = /\{(?:topic:([A-Za-z0-9._-]+)|(group|transactionalIdPrefix|checkpoints))\}/g;

/** A job as a drill starts it, or why it can't take part: it would touch production. Pure. */
export function drilledJob(
  { config, jarPath }: { readonly config: JobConfig; readonly jarPath: string },
  n: number,
  { region, bubble, storeUri }: { readonly region: string; readonly bubble: Bubble; readonly storeUri: string },
): DrilledJob | { readonly refused: Failure } {
  const args = config.drill?.args?.[region];
  const refused = refusalOf(config, region, args);
  if (refused !== undefined || args === undefined) return { refused: refused ?? notConfigured(config.name, region) };
  const names = {
    group: bubble.group(config.consumerGroup),
    transactionalIdPrefix: bubble.transactionalIdPrefix(config.name),
    checkpoints: `${storeUri}/${bubble.checkpoints(config.name)}`,
  };
  const topics = new Map<string, string>();
  const replaced = args.map((arg) =>
    arg.replace(placeholder, (_, topic: string | undefined, other: keyof typeof names) => {
      if (topic === undefined) return names[other];
      const name = bubble.topic(topic);
      topics.set(topic, name);
      return name;
    }),
  );
  const job: DrilledJob = {
    config,
    jarPath,
    args: replaced,
    topics,
    group: names.group,
    transactionalIdPrefix: names.transactionalIdPrefix,
    flinkJobId: bubble.flinkJobId(n),
    checkpoints: bubble.checkpoints(config.name),
    restore: bubble.restore(config.name),
  };
  for (const topic of topics.values()) requireInBubble(bubble, 'topic', topic);
  requireInBubble(bubble, 'group', job.group);
  requireInBubble(bubble, 'transactionalId', job.transactionalIdPrefix);
  requireInBubble(bubble, 'object', job.checkpoints);
  requireInBubble(bubble, 'object', job.restore);
  return job;
}

const notConfigured = (job: string, region: string): Failure => ({
  code: 'DrillNotConfigured',
  message: `${job} has no drill.args for ${region}: with its own arguments it would write what production writes`,
  hint: `give jobs[].drill.args.${region}, or leave the job out: \`argus drill run --job <others>\` (docs/drills.md)`,
});

function refusalOf(
  { name, writes, submit, drill }: JobConfig,
  region: string,
  args: readonly string[] | undefined,
): Failure | undefined {
  if (args === undefined) return notConfigured(name, region);
  const muted = drill?.muted === true;
  if (submit === undefined) {
    return {
      code: 'DrillNeedsJar',
      message: `${name} has no \`submit\`: a drill starts jobs in a session cluster, from their jar`,
      hint: 'give jobs[].submit, and drill.regions.<region>.flink.rest for a session cluster of its own',
    };
  }
  if (writes === undefined && !muted) {
    return {
      code: 'WritesUnknown',
      message: `what ${name} writes is not configured: nobody can tell whether its output stays in the drill`,
      hint: 'name its topics in jobs[].writes, or say that these arguments keep it from writing: drill.muted',
    };
  }
  const needed = [
    '{group}',
    ...(writes ?? []).map((topic) => `{topic:${topic}}`),
    ...((writes ?? []).length === 0 ? [] : ['{transactionalIdPrefix}']),
  ];
  const lacking = needed.filter((each) => !args.some((arg) => arg.includes(each)));
  if (lacking.length === 0) return undefined;
  return {
    code: 'DrillArgsIncomplete',
    message: `drill.args of ${name} for ${region} lack ${lacking.join(', ')}: it would use production's`,
    hint: 'put the placeholders where the job is told its group, its transactional id prefix and its output topics',
  };
}
