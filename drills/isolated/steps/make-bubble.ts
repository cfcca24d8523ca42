import { ArgusError } from '../../../domain/errors.ts';
import type { KafkaAdmin, NewTopic, UserQuotas } from '../../../regions/kafka/kafka-admin.ts';
import type { BubbleCopy } from '../../../replication/checkpoints/bubble-copy.ts';
import { lackingOf, makeCopy } from '../../../replication/checkpoints/restore-copy.ts';
import { toFailure } from '../../../runbooks/engine/failures.ts';
import { evidence } from '../../../runbooks/failover/failover-step.ts';
import type { Json } from '../../../state/journal.ts';
import { clearBubble, restoreQuota } from '../clear-bubble.ts';
import type { IsolatedContext, IsolatedStep } from '../context.ts';
import { quotaOf } from './take-inventory.ts';

/** Makes what the drill's jobs write to and are restored from: topics, limits, states without production's transactions. */
export function makeBubble(words: Pick<IsolatedStep, 'title' | 'manual'>): IsolatedStep {
  const copies = new Map<string, BubbleCopy>();
  return {
    id: 'make-bubble',
    ...words,
    waitsFor: 'Kafka and the object store of the standby',
    timeoutMs: 600_000,
    onFailure: { kind: 'stop', hint: 'what was made is removed again; `argus drill run` begins anew' },
    async observe(context, { points = [] }, { signal }) {
      for (const { job, manifest } of points) {
        const drilled = context.jobs.find(({ config }) => config.name === job)!;
        const place = {
          folder: drilled.restore,
          transactionalIdPrefix: drilled.transactionalIdPrefix,
          muted: drilled.config.drill?.muted === true,
        };
        try {
          copies.set(job, await context.questions.gatherCopy(manifest, place, signal));
        } catch (error) {
          if (!(error instanceof ArgusError) || error.exitCode !== 3) throw error;
          return { kind: 'refused', error: toFailure(error) };
        }
      }
      return { kind: 'todo' };
    },
    async act(context, _facts, io) {
      const { standby } = context;
      for (const topic of await wantedTopics(context, io.signal)) {
        io.check();
        await standby.kafka.createTopic(topic, { signal: io.signal });
      }
      const quota = quotaIn(context);
      if (quota !== undefined) {
        io.check();
        await standby.kafka.alterQuotas(quota.principal, quota.limits, { signal: io.signal });
      }
      for (const [job, copy] of copies) {
        const lacking = await lackingOf(standby.objects, copy, io);
        if (lacking === undefined) continue;
        await makeCopy(standby.objects, copy, lacking, {
          signal: io.signal,
          check: io.check,
          onProgress: ({ files, bytes }) => io.progress(`${job}: ${files} files copied, ${bytes} bytes`),
        });
      }
    },
    async verify(context, _facts, { signal }) {
      const { standby } = context;
      const wanted = await wantedTopics(context, signal);
      const there = await standby.kafka.describeTopics(
        wanted.map(({ name }) => name),
        { signal },
      );
      const missing = wanted.find(({ name, partitions }) => there.get(name)?.partitions !== partitions);
      if (missing !== undefined) return { kind: 'pending', waitingFor: `topic ${missing.name}` };
      for (const [job, copy] of copies) {
        if ((await lackingOf(standby.objects, copy, { signal })) === undefined) continue;
        return { kind: 'failed', error: { code: 'CopyIncomplete', message: `${job}: ${copy.uri} is not as written` } };
      }
      const limits = quotaIn(context)?.limits ?? {};
      const now =
        standby.principal === undefined ? undefined : await limitsOf(standby.kafka, standby.principal, signal);
      const unset = Object.entries(limits).find(([key, value]) => now?.get(key) !== value);
      if (unset !== undefined) return { kind: 'pending', waitingFor: `the limit ${unset[0]} of ${standby.principal}` };
      return { kind: 'done', evidence: seen(wanted, copies, limits), facts: { copies } };
    },
    async compensate(context, _facts, io) {
      const removed = await clearBubble(context.standby, context.run, io);
      await restoreQuota(context.standby, await quotaOf(context, io), io);
      return removed === 0 ? undefined : { removed };
    },
  };
}

function seen(topics: readonly NewTopic[], copies: ReadonlyMap<string, BubbleCopy>, limits: UserQuotas): Json {
  const restores = [...copies].map(([job, { uri, claimMode, sinks, files }]) => ({
    job,
    uri,
    claimMode,
    sinks,
    copiedFiles: files.length,
  }));
  return evidence({ topics: topics.map(({ name, partitions }) => ({ name, partitions })), restores, limits });
}

const limitsOf = (kafka: KafkaAdmin, principal: string, signal: AbortSignal) =>
  kafka.describeQuotas(principal, { signal });

function quotaIn({ config, standby }: IsolatedContext) {
  const { principal, name } = standby;
  const quota = config.drill.regions[name]?.quota;
  if (quota === undefined || principal === undefined) return undefined;
  const limits: UserQuotas = {
    ...(quota.read === undefined ? {} : { consumer_byte_rate: quota.read }),
    ...(quota.write === undefined ? {} : { producer_byte_rate: quota.write }),
  };
  return { principal, limits };
}

/** What a drill topic has of the one that it is in place of. */
const takenOver = ['max.message.bytes', 'min.insync.replicas', 'message.timestamp.type'];

/**
 * Each with as many partitions as the topic that it is in place of, as the standby has it mirrored, else as the primary.
 * Nothing in it may be compacted or run out before it was compared.
 */
async function wantedTopics(
  { jobs, standby, primary }: IsolatedContext,
  signal: AbortSignal,
): Promise<readonly NewTopic[]> {
  const names = new Map(jobs.flatMap(({ topics }) => [...topics]));
  const wanted: NewTopic[] = [];
  for (const [of, name] of names) {
    const side = (await standby.kafka.describeTopics([of], { signal })).has(of) ? standby.kafka : primary.kafka;
    const partitions = (await side.describeTopics([of], { signal })).get(of)?.partitions;
    if (partitions === undefined) {
      throw new ArgusError(
        'OutputTopicUnknown',
        `neither region has the topic ${of}, which a drill topic is to be like`,
        {
          hint: "see the job's `writes` and the placeholders in its drill.args",
        },
      );
    }
    const configs = await side.topicConfigs(of, { signal });
    const kept = takenOver.flatMap((key) => (configs.has(key) ? [[key, configs.get(key) ?? '']] : []));
    wanted.push({
      name,
      partitions,
      configs: { ...Object.fromEntries(kept), 'cleanup.policy': 'delete', 'retention.ms': '-1' },
    });
  }
  return wanted;
}
