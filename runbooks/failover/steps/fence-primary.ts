import { describeError } from '../../../domain/errors.ts';
import type { StepIo } from '../../engine/step.ts';
import { claimPrimary, type GuardLink, lookAtClaim, unclaimPrimary } from '../../fencing/claim-primary.ts';
import { fencedTopics } from '../../fencing/fence-rules.ts';
import {
  allowKafkaWrites,
  denyKafkaWrites,
  everybody,
  type FenceTarget,
  fenceWatch,
  type KafkaFencing,
  usableFence,
} from '../../fencing/kafka-fencing.ts';
import type { FailoverContext } from '../context.ts';
import { evidence, type FailoverStep, type StepWords, within } from '../failover-step.ts';
import { refuseOncePromoted } from './freeze-mirror.ts';

/** How long a primary may take to answer before it counts as unreachable. */
const patienceMs = 3_000;

/** How long a denial may take, where a person accepts that the primary may still write. */
const acceptedAfterMs = 15_000;

/**
 * Denies the primary's writers at its Kafka, sees each of them refused by each leader, and sees the logs stand still. A
 * primary without a fence, or that can't be asked, is recorded as such; where a fence is configured and can't be
 * reached, only its own guard, whose lease is `guardLeaseMs`, or a person's word lets the failover go on. Jobs that
 * nobody saw stop must be kept out by one of these: without a fence only a person's word is left.
 */
export function fencePrimary(words: StepWords, guardLeaseMs = 0): FailoverStep {
  let look: ReturnType<typeof fenceWatch> | undefined;
  let beganAt: number | undefined;
  let why: string | undefined;
  /** Nobody answers there: its guard is asked through the state and the witness. */
  let dark: string | undefined;
  let claimedAtMs: number | undefined;
  return {
    id: 'fence-primary',
    ...words,
    waitsFor: 'Kafka of the primary',
    timeoutMs: 45_000 + guardLeaseMs,
    onFailure: {
      kind: 'stop',
      hint: "keep the primary's clients out by hand, then run `argus failover --accept-unfenced` again",
    },
    async observe(context, facts, io) {
      const fence = usableFence({ region: context.primary });
      const needed = context.guard !== undefined && facts.primaryStopped === false;
      if ('none' in fence) return withoutFence(context, fence.none, needed);
      const asked = await authorizerOf(context, within(io.signal, patienceMs), io.signal);
      if (asked === 'there') return { kind: 'todo' };
      const { settings } = fence;
      if (asked === 'none') {
        const none = `${context.primary.name}'s brokers have no authorizer`;
        return withoutFence(context, none, needed || settings.required);
      }
      dark = asked.why;
      if (context.guard !== undefined) return { kind: 'todo' };
      if (context.acceptUnfenced) return unfenced('unproven', [asked.why], context.by);
      return { kind: 'refused', error: kafkaUnfenced(context.primary.name, asked.why) };
    },
    async act(context, _facts, io) {
      const author = { by: context.run, atMs: io.clock.now() };
      try {
        if (dark !== undefined && context.guard !== undefined) {
          const said = { by: context.by, atMs: author.atMs };
          await claimPrimary(claimOf(context, context.guard), said, io.signal);
          claimedAtMs = io.clock.monotonic();
        } else await denyKafkaWrites(targetOf(context), everybody, author, io);
      } catch (error) {
        io.signal.throwIfAborted();
        if (!context.acceptUnfenced) throw error;
        why = describeError(error);
      }
    },
    async verify(context, _facts, io) {
      const fence = usableFence({ region: context.primary });
      if ('none' in fence) return unfenced('none', [fence.none]);
      if (why !== undefined) return unfenced('unproven', [why], context.by);
      if (dark !== undefined && context.guard !== undefined) {
        if (context.acceptUnfenced) return unfenced('unproven', [dark], context.by);
        return claimed(context, context.guard, claimedAtMs, io);
      }
      beganAt ??= io.clock.monotonic();
      look ??= fenceWatch(targetOf(context), everybody);
      const accepts = context.acceptUnfenced && io.clock.monotonic() - beganAt >= acceptedAfterMs;
      try {
        const seen = await look(fence, io.clock.monotonic(), within(io.signal, 2 * patienceMs));
        if (seen.kind === 'pending') {
          return accepts ? unfenced('unproven', [seen.waitingFor], context.by) : seen;
        }
        const { kind, principals, brokers } = seen;
        return {
          kind: 'done',
          evidence: evidence(seen),
          facts: { kafkaFencing: { kind, why: seen.why, principals, brokers }, fencedEnds: seen.ends },
        };
      } catch (error) {
        io.signal.throwIfAborted();
        if (!accepts) return { kind: 'pending', waitingFor: describeError(error) };
        return unfenced('unproven', [describeError(error)], context.by);
      }
    },
    async compensate(context, _facts, io) {
      await refuseOncePromoted(context, io.signal);
      if (context.guard !== undefined) {
        io.check();
        await unclaimPrimary(claimOf(context, context.guard), io.signal);
      }
      const author = { by: context.run, atMs: io.clock.now() };
      const lifted = await allowKafkaWrites(targetOf(context), everybody, author, io);
      return lifted.length === 0 ? undefined : evidence({ lifted: lifted.length });
    },
  };
}

/** What is known of a primary in the dark by its guard: that is never more than a part of a proof. */
async function claimed(context: FailoverContext, guard: GuardLink, claimedAtMs: number | undefined, io: StepIo) {
  const { principals = [] } = context.primary.fence?.settings ?? {};
  const at = { claimedAtMs, nowMs: io.clock.monotonic() };
  const { verdict, word } = await lookAtClaim(claimOf(context, guard), at, io.signal);
  switch (verdict.kind) {
    case 'wait':
      return { kind: 'pending', waitingFor: verdict.waitingFor } as const;
    case 'told': {
      const told = [`its own guard says so, nobody else saw it`, ...(word?.why ?? [])];
      const kafkaFencing: KafkaFencing = {
        kind: 'partial',
        why: told,
        principals: principals.map((p) => p.principal),
        brokers: [],
      };
      return { kind: 'done', evidence: evidence({ guard: word }), facts: { kafkaFencing } } as const;
    }
    case 'expired':
      return unfenced('unproven', [
        `its guard's lease of ${guard.leaseMs / 1_000} s has run out: a guard that runs has shut it, one that was frozen shuts it within a second of its thaw, and what it took until then counts as orphans`,
      ]);
    default:
      return verdict satisfies never;
  }
}

const claimOf = ({ state, primary, roles, run }: FailoverContext, guard: GuardLink) => ({
  state,
  guard,
  run,
  region: primary.name,
  rolesEpoch: roles.epoch,
});

const targetOf = ({ primary, state, config }: FailoverContext): FenceTarget => ({
  region: primary,
  state,
  topics: fencedTopics(config, primary.fence?.settings),
});

const unfenced = (kind: 'none' | 'unproven', why: readonly string[], by?: string) =>
  ({
    kind: 'done',
    evidence: evidence({ fenced: false, why, ...(by === undefined ? {} : { acceptedBy: by }) }),
    facts: { kafkaFencing: { kind, why } },
  }) as const;

function withoutFence({ primary, acceptUnfenced }: FailoverContext, none: string, needed: boolean) {
  if (!needed || acceptUnfenced) return unfenced('none', [none]);
  return { kind: 'refused', error: kafkaUnfenced(primary.name, none) } as const;
}

async function authorizerOf(
  { primary }: FailoverContext,
  signal: AbortSignal,
  outer: AbortSignal,
): Promise<'there' | 'none' | { readonly why: string }> {
  try {
    return (await primary.kafka.listAcls({ permission: 'DENY' }, { signal })) === undefined ? 'none' : 'there';
  } catch (error) {
    outer.throwIfAborted();
    return { why: describeError(error) };
  }
}

/** Why a primary whose Kafka can't be fenced stops a failover. */
const kafkaUnfenced = (primary: string, why: string) => ({
  code: 'KafkaUnfenced',
  message: `${primary}'s Kafka can't be fenced: ${why}`,
  hint: `make sure that ${primary} takes no more data, then add --accept-unfenced`,
});
