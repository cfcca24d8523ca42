import { namesThatFollow } from '../../../domain/dns-config.ts';
import { describeError } from '../../../domain/errors.ts';
import type { FailoverContext, FailoverFacts, UsedPoint } from '../context.ts';
import { evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { primaryEndsIfReachable } from './freeze-mirror.ts';

/** The longest that caches which weren't asked are waited for, with `dns.awaitTtl`. */
const longestSettleMs = 150_000;

/**
 * Waits until every resolver answers every name with the standby's address, and nothing else; with `dns.awaitTtl` also
 * until the old answer's TTL has passed. A proxied name answers with the provider's edge, and was seen at the provider.
 */
export function verifyNames(words: StepWords): FailoverStep {
  let answeredAtMs: number | undefined;
  let begunAtMs: number | undefined;
  return {
    id: 'verify-names',
    ...words,
    waitsFor: 'the resolvers’ caches',
    timeoutMs: 180_000,
    pollMs: 500,
    onFailure: { kind: 'stop', hint: 'caches keep the old answer for its TTL; ask the resolvers again with dig' },
    async observe() {
      return { kind: 'todo' };
    },
    async act() {
      // Nothing to do but to ask.
    },
    async verify(context, facts, io) {
      begunAtMs ??= io.clock.now();
      const { proxiedNames = [], namesSettleAtMs = 0 } = facts;
      const names = namesThatFollow(context.config.dns).filter(({ name }) => !proxiedNames.includes(name));
      const asked = context.names.resolvers.flatMap((resolver) =>
        names.map(async ({ name, type }) => {
          const answer = await resolver.resolve(name, type, io).catch((error: unknown) => describeError(error));
          return { name, resolver: resolver.server, answer };
        }),
      );
      const answers = await Promise.all(asked);
      io.signal.throwIfAborted();
      const { address } = context.standby;
      const other = answers.find((a) => typeof a.answer === 'string' || a.answer.join() !== address);
      if (other !== undefined) {
        answeredAtMs = undefined;
        const says = typeof other.answer === 'string' ? other.answer : other.answer.join(', ') || 'nothing';
        return { kind: 'pending', waitingFor: `${other.resolver} answers ${other.name} with ${says}` };
      }
      answeredAtMs ??= io.clock.now();
      const settleAtMs = Math.min(namesSettleAtMs, begunAtMs + longestSettleMs);
      if (context.config.dns.awaitTtl && io.clock.now() < settleAtMs) {
        return { kind: 'pending', waitingFor: `the old answers' TTL, until ${new Date(settleAtMs).toISOString()}` };
      }
      const namesAnswerAtMs = answeredAtMs;
      // Clients could write to a primary that lives until now.
      const ends = facts.primaryEnds && (await primaryEndsIfReachable(context, facts.primaryEnds, io));
      return {
        kind: 'done',
        evidence: evidence({
          answers,
          primaryEnds: ends,
          ...(proxiedNames.length > 0 ? { seenOnlyAtTheProvider: proxiedNames } : {}),
          // Whoever asked a cache that wasn't asked here may be answered with the primary until then.
          ...(namesSettleAtMs > io.clock.now() ? { oldAnswersUntilMs: namesSettleAtMs } : {}),
        }),
        facts: {
          namesAnswerAtMs,
          ...(facts.points === undefined ? {} : { points: await recounted(facts.points, context, facts, io.signal) }),
          ...(ends ? { primaryEnds: ends, primaryEndsAreLast: true } : {}),
        },
      };
    },
  };
}

/** The points with their output as it is in the end; it holds nothing up, and what can't be read stays as it was told. */
async function recounted(
  points: readonly UsedPoint[],
  context: FailoverContext,
  { promotedAt = [] }: Partial<FailoverFacts>,
  signal: AbortSignal,
): Promise<readonly UsedPoint[]> {
  return Promise.all(
    points.map(async (point) => {
      const writes = context.jobs.find(({ config }) => config.name === point.job)?.config.writes ?? [];
      const output = await context.recountOutput(point, writes, promotedAt, signal).catch(() => undefined);
      return output === undefined ? point : { ...point, output };
    }),
  );
}
