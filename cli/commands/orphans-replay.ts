import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, partitionsOf, type TopicPartition } from '../../domain/offsets.ts';
import type { Region } from '../../regions/region.ts';
import { isReplayable, mayBeGone, openReplay } from '../../replication/orphans/replay.ts';
import { acquireLease } from '../../state/lease.ts';
import { putReplayed, type Replayed, readReplayed } from '../../state/replayed.ts';
import { agree } from '../agree.ts';
import type { CommandContext } from '../context.ts';
import { type ChosenOrphans, chooseOrphans } from '../open-orphans.ts';
import { requireSameRoles, rolesNow, sidesOf, withComposition } from '../session.ts';

interface Options {
  readonly topic: string;
  readonly promotion?: number;
  readonly yes?: boolean;
}

const leaseTtlMs = 10_000;
/** Of `max.message.bytes`. */
const kafkasDefault = 1_048_588;

/**
 * `argus orphans replay --topic <name>`: writes what readers would have seen into the live topic of the primary, each
 * record once: what is there already, from a replay that was cut off, is looked for first. Under the lease.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const { clock, signal, who } = context;
    const { state } = composition;
    const roles = await rolesNow(context, composition);
    const { primary } = await sidesOf(context, composition, roles);
    const chosen = await chooseOrphans(composition, options, signal);
    const { rescued, store } = chosen;
    const { topic } = options;
    try {
      const live = (await primary.kafka.describeTopics([topic], { signal })).get(topic);
      const above = chosen.partitions.find((p) => p.partition >= (live?.partitions ?? 0));
      if (live === undefined || above !== undefined) {
        const what =
          live === undefined ? `has no topic "${topic}"` : `has no partition ${above?.partition} of "${topic}"`;
        throw refused('LiveTopicDiffers', `${primary.name} ${what}`, 'make it first, with as many partitions');
      }
      const records = await count(chosen, signal);
      context.tell(`${records} orphans of "${topic}" of ${rescued.region} go into the live topic in ${primary.name}`);
      if (!options.yes) await agree(context, primary.name);
      const request = { holder: who, purpose: 'orphans replay', ttlMs: leaseTtlMs, waitMs: 2 * leaseTtlMs };
      const answer = await acquireLease(state, request, clock, { signal });
      if (answer.kind === 'held') {
        throw refused('LeaseHeld', `${answer.by.holder} is at work: ${answer.by.purpose}`, 'wait for it to end');
      }
      const { lease } = answer;
      const stopRenewing = lease.keepRenewed();
      const bound = AbortSignal.any([signal, lease.signal]);
      try {
        // A person may have thought for long, and a failover may have ended meanwhile.
        await requireSameRoles(context, composition, roles);
        const begun =
          (await readReplayed(state, rescued.promotion, topic, { signal: bound })) ??
          (await begin(primary, topic, live.partitions, { by: who, atMs: clock.now() }, bound));
        if (begun.done !== undefined) await refuseGone(primary, chosen, topic, begun, bound);
        lease.check();
        await putReplayed(state, rescued.promotion, topic, begun, { signal: bound });
        const written = await replayAll(chosen, primary, begun, () => lease.check(), bound);
        lease.check();
        const done = { records, atMs: clock.now() };
        await putReplayed(state, rescued.promotion, topic, { ...begun, done: begun.done ?? done }, { signal: bound });
        const result = { topic, promotion: rescued.promotion, region: primary.name, orphans: records, written };
        context.print(
          context.json
            ? JSON.stringify(result)
            : `${written} records written into "${topic}" in ${primary.name}; ${records - written} were there already`,
        );
        return 0;
      } finally {
        await stopRenewing();
        await lease.release({ signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      }
    } finally {
      store.close();
    }
  });
}

async function count({ store, partitions, origin }: ChosenOrphans, signal: AbortSignal): Promise<number> {
  let records = 0;
  for (const tp of partitions) {
    for await (const record of store.read(tp, origin, signal)) if (isReplayable(record)) records++;
  }
  return records;
}

/** A replay that was done is not looked for in a log that has dropped records since: all would be written once more. */
async function refuseGone(
  primary: Region,
  { partitions }: ChosenOrphans,
  topic: string,
  { from, done }: Replayed,
  signal: AbortSignal,
): Promise<void> {
  const policy = (await primary.kafka.topicConfigs(topic, { signal })).get('cleanup.policy');
  if (!mayBeGone(from, await primary.kafka.logRanges(partitions, { signal }), policy)) return;
  const at = done === undefined ? '' : ` at ${new Date(done.atMs).toISOString()}`;
  throw refused(
    'AlreadyReplayed',
    `the orphans of "${topic}" were replayed${at}, and ${primary.name} may have dropped some of them since`,
    'another replay would write those again: `argus orphans export` gives them, if that is wanted',
  );
}

async function begin(
  primary: Region,
  topic: string,
  partitions: number,
  who: Pick<Replayed, 'by' | 'atMs'>,
  signal: AbortSignal,
): Promise<Replayed> {
  const ranges = await primary.kafka.logRanges(partitionsOf([{ name: topic, partitions }]), { signal });
  return { ...who, from: ranges.map((r) => ({ partition: r.partition, offset: r.logEndOffset })) };
}

async function replayAll(
  { store, partitions, origin }: ChosenOrphans,
  primary: Region,
  begun: Replayed,
  mayAct: () => void,
  signal: AbortSignal,
): Promise<number> {
  const replay = await openReplay(primary, `argus-replay-${origin.promotion}`, signal);
  try {
    let written = 0;
    for (const tp of partitions) {
      const configs = await primary.kafka.topicConfigs(tp.topic, { signal });
      const maxBatchBytes = Number(configs.get('max.message.bytes') ?? kafkasDefault);
      const from = begun.from.find((f) => f.partition === tp.partition)?.offset ?? fail(tp);
      written += await replay.replay(tp, store.read(tp, origin, signal), {
        origin,
        from,
        maxBatchBytes,
        mayAct,
        signal,
      });
    }
    return written;
  } finally {
    replay.close();
  }
}

function fail(tp: TopicPartition): never {
  throw refused(
    'LiveTopicDiffers',
    `${partitionKey(tp)} had not been there when the replay began`,
    'look at the topic',
  );
}

const refused = (code: string, message: string, hint: string) => new ArgusError(code, message, { exitCode: 3, hint });
