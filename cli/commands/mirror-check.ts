import { ArgusError } from '../../domain/errors.ts';
import type { TopicVerdict } from '../../replication/topics/check.ts';
import { checkTopics } from '../../replication/topics/check-topics.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

/**
 * `argus mirror check`: what the mirror would do with each topic, and why; changes nothing. Exit code 3 when one is
 * refused, 2 when a side can't be reached.
 */
export async function run(context: CommandContext): Promise<number> {
  return withComposition(context, async (composition) => {
    const { signal, clock } = context;
    const { primary, standby } = await sidesOf(context, composition, await rolesNow(context, composition));
    const { topics } = composition.config;
    const verdicts = await checkTopics(primary, standby, topics, { nowMs: clock.now(), signal }).catch(notReached);
    const refused = verdicts.filter((v) => v.verdict === 'refused').length;
    if (context.json) context.print(JSON.stringify({ ok: refused === 0, topics: verdicts }));
    else {
      for (const line of verdicts.flatMap(lines)) context.print(line);
      context.print(summary(verdicts, primary.name, standby.name));
    }
    return refused > 0 ? 3 : 0;
  });
}

function notReached(error: unknown): never {
  if (!(error instanceof ArgusError) || error.code !== 'KafkaUnreachable') throw error;
  const { code, message, hint, cause, retryable } = error;
  throw new ArgusError(code, message, { cause, retryable, exitCode: 2, ...(hint === undefined ? {} : { hint }) });
}

function lines({ topic, verdict, reasons, warnings }: TopicVerdict): readonly string[] {
  const what = { mirrored: 'can be mirrored', 'needs-alignment': 'can be mirrored; begins with an alignment' };
  return [
    `${topic}: ${verdict === 'refused' ? 'refused' : what[verdict]}`,
    ...reasons.flatMap((r) => [
      `  ${r.code}: ${r.message}`,
      ...(r.alternative ? [`    instead: ${r.alternative}`] : []),
    ]),
    ...warnings.map((w) => `  warning: ${w}`),
  ];
}

function summary(verdicts: readonly TopicVerdict[], primary: string, standby: string): string {
  const count = (verdict: TopicVerdict['verdict']) => verdicts.filter((v) => v.verdict === verdict).length;
  return `${primary} to ${standby}: ${count('mirrored')} as they are, ${count('needs-alignment')} after an alignment, ${count('refused')} refused`;
}
