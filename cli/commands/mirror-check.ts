import { ArgusError } from '../../domain/errors.ts';
import { selectNames } from '../../domain/name-patterns.ts';
import type { TopicVerdict } from '../../replication/topics/check.ts';
import { type ClusterFindings, checkClusters } from '../../replication/topics/check-clusters.ts';
import { checkTopics } from '../../replication/topics/check-topics.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

/**
 * `argus mirror check`: what the mirror would do with each topic, and why; changes nothing. Exit code 3 when one is
 * refused, 2 when a side can't be reached or a pattern of `topics` matches nothing.
 */
export async function run(context: CommandContext): Promise<number> {
  return withComposition(context, async (composition) => {
    requireOwnMirror(
      composition.config,
      'mirror check',
      'it tells what Argus would mirror identically; see `argus mirror status`',
    );
    const { primary, standby, verdicts, clusters } = await lookAtTopics(context, composition).catch(notReached);
    const refused = verdicts.filter((v) => v.verdict === 'refused').length;
    if (context.json) context.print(JSON.stringify({ ok: refused === 0, topics: verdicts, ...clusters }));
    else {
      for (const line of [...verdicts.flatMap(lines), ...clusterLines(clusters)]) context.print(line);
      context.print(summary(verdicts, primary.name, standby.name));
    }
    return refused > 0 ? 3 : 0;
  });
}

/** What the mirror would do with each topic, and what concerns both clusters. */
export async function lookAtTopics(context: CommandContext, composition: Composition) {
  const { signal, clock } = context;
  const { primary, standby } = await sidesOf(context, composition, await rolesNow(context, composition));
  const { topics, topicPatterns, topicConfigs: followed } = composition.config;
  const nowMs = () => clock.now();
  const there = topicPatterns ? (await primary.kafka.describeTopics(undefined, { signal })).keys() : topics;
  const { names, unmatched } = topicPatterns ? selectNames(there, topicPatterns) : { names: topics, unmatched: [] };
  if (unmatched.length > 0) throw noSuchTopics(unmatched, primary.name);
  const verdicts = await checkTopics(primary, standby, names, { nowMs: nowMs(), signal, followed });
  return { primary, standby, verdicts, clusters: await checkClusters(primary, standby, names, { nowMs, signal }) };
}

function noSuchTopics(patterns: readonly string[], region: string): ArgusError {
  const list = patterns.map((p) => `"${p}"`).join(', ');
  return new ArgusError('TopicMissing', `no topic in ${region} matches ${list} of \`topics\``, {
    hint: 'create such a topic, or correct the pattern in argus.yaml; a running mirror takes one up when it appears',
    exitCode: 2,
  });
}

function notReached(error: unknown): never {
  if (!(error instanceof ArgusError) || error.code !== 'KafkaUnreachable') throw error;
  const { code, message, hint, cause, retryable } = error;
  throw new ArgusError(code, message, { cause, retryable, exitCode: 2, ...(hint === undefined ? {} : { hint }) });
}

function lines({ topic, verdict, reasons, warnings, notes }: TopicVerdict): readonly string[] {
  const what = { mirrored: 'can be mirrored', 'needs-alignment': 'can be mirrored; begins with an alignment' };
  return [
    `${topic}: ${verdict === 'refused' ? 'refused' : what[verdict]}`,
    ...reasons.flatMap((r) => [
      `  ${r.code}: ${r.message}`,
      ...(r.alternative ? [`    instead: ${r.alternative}`] : []),
    ]),
    ...warnings.map((w) => `  warning: ${w}`),
    ...notes.map((n) => `  ${n}`),
  ];
}

function clusterLines({ warnings, byHand }: ClusterFindings): readonly string[] {
  const manual = byHand.flatMap(({ what, how }) => [`  ${what}`, `    ${how}`]);
  return [...warnings.map((w) => `warning: ${w}`), 'not carried over by the mirror:', ...manual];
}

function summary(verdicts: readonly TopicVerdict[], primary: string, standby: string): string {
  const count = (verdict: TopicVerdict['verdict']) => verdicts.filter((v) => v.verdict === verdict).length;
  return `${primary} to ${standby}: ${count('mirrored')} as they are, ${count('needs-alignment')} after an alignment, ${count('refused')} refused`;
}
