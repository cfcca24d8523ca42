import { ArgusError } from '../../domain/errors.ts';
import { missingRight, missingRightHint } from './access.ts';
import { byTopic } from './by-topic.ts';
import { errorName, isDenied, isTransient, kafkaError } from './error-codes.ts';
import type { GroupCommit } from './kafka-admin.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import type { BrokerAddress } from './metadata.ts';
import { WireReader, WireWriter } from './wire.ts';

/**
 * FindCoordinator (key 10), version 2, for a group.
 *
 *     request: key string | type i8 (0)
 *     response: throttle i32 | error i16 | message string? | node i32 | host string | port i32
 */
export function findGroupCoordinatorRequest(
  group: string,
): KafkaRequest<{ errorCode: number; address: BrokerAddress }> {
  const body = new WireWriter().string(group).int8(0);
  const read = (bytes: Buffer) => {
    const reader = new WireReader(bytes);
    reader.int32();
    const errorCode = reader.int16();
    reader.nullableString();
    reader.int32();
    return { errorCode, address: { host: reader.string(), port: reader.int32() } };
  };
  return { name: 'FindCoordinator', apiKey: 10, apiVersion: 2, body, read };
}

/**
 * ListGroups (key 16), version 2: the groups that a broker coordinates, of every kind.
 *
 *     request: nothing
 *     response: throttle i32 | error i16 | [group string | protocolType string]
 */
export function listGroupsRequest(): KafkaRequest<{
  readonly errorCode: number;
  readonly groups: readonly { readonly group: string; readonly protocolType: string }[];
}> {
  const read = (bytes: Buffer) => {
    const reader = new WireReader(bytes);
    reader.int32();
    const errorCode = reader.int16();
    return { errorCode, groups: reader.array(() => ({ group: reader.string(), protocolType: reader.string() })) };
  };
  return { name: 'ListGroups', apiKey: 16, apiVersion: 2, body: new WireWriter(), read };
}

/**
 * OffsetFetch (key 9), version 5: all that a group has committed.
 *
 *     request: group string | topics [] (null: all)
 *     response: throttle i32 | [topic string | [partition i32 | offset i64 | leaderEpoch i32 | metadata string? | error i16]]
 *       | error i16
 */
export function offsetFetchRequest(
  group: string,
): KafkaRequest<{ readonly errorCode: number; readonly value: readonly GroupCommit[] }> {
  const read = (bytes: Buffer) => {
    const reader = new WireReader(bytes);
    reader.int32();
    let failed = 0;
    const topics = reader.array(() => {
      const topic = reader.string();
      return reader.array(() => {
        const partition = reader.int32();
        const offset = reader.int64();
        reader.int32();
        const metadata = reader.nullableString() ?? '';
        failed ||= reader.int16();
        return { topic, partition, offset, metadata };
      });
    });
    const value = topics.flat().filter((o) => o.offset >= 0n);
    return { errorCode: reader.int16() || failed, value };
  };
  return { name: 'OffsetFetch', apiKey: 9, apiVersion: 5, body: new WireWriter().string(group).int32(-1), read };
}

/**
 * OffsetCommit (key 8), version 7, by nobody's member: a broker takes it only for a group without members.
 *
 *     request: group string | generation i32 (-1) | member string | instance string?
 *       | [topic string | [partition i32 | offset i64 | leaderEpoch i32 (-1) | metadata string?]]
 *     response: throttle i32 | [topic string | [partition i32 | error i16]]
 */
export function offsetCommitRequest(
  group: string,
  commits: readonly GroupCommit[],
): KafkaRequest<{ readonly errorCode: number; readonly value: undefined }> {
  const body = new WireWriter().string(group).int32(-1).string('').string(null);
  body.array(byTopic(commits), ([topic, list]) => {
    body.string(topic).array(list, (c) => {
      body.int32(c.partition).int64(c.offset).int32(-1).string(c.metadata);
    });
  });
  const read = (bytes: Buffer) => {
    const reader = new WireReader(bytes);
    reader.int32();
    let errorCode = 0;
    reader.array(() => {
      reader.string();
      reader.array(() => {
        reader.int32();
        errorCode ||= reader.int16();
      });
    });
    return { errorCode, value: undefined };
  };
  return { name: 'OffsetCommit', apiKey: 8, apiVersion: 7, body, read };
}

/**
 * DeleteGroups (key 42), version 1, of one group.
 *
 *     request: [group string]
 *     response: throttle i32 | [group string | error i16]
 *
 * Source: Kafka protocol guide, "DeleteGroups API (Key: 42)"; KIP-229.
 */
export function deleteGroupRequest(
  group: string,
): KafkaRequest<{ readonly errorCode: number; readonly value: undefined }> {
  const body = new WireWriter();
  body.array([group], (name) => {
    body.string(name);
  });
  const read = (bytes: Buffer) => {
    const reader = new WireReader(bytes);
    reader.int32();
    const codes = reader.array(() => {
      reader.string();
      return reader.int16();
    });
    const errorCode = codes[0] ?? -1;
    return { errorCode: errorCode === kafkaError.groupIdNotFound ? 0 : errorCode, value: undefined };
  };
  return { name: 'DeleteGroups', apiKey: 42, apiVersion: 1, body, read };
}

/** Every group that a broker of the cluster coordinates, but those that share records instead of committing offsets. */
export async function listGroups(cluster: KafkaCluster, signal: AbortSignal): Promise<readonly string[]> {
  const { brokers } = await cluster.refresh([], signal);
  const lists = await Promise.all(
    [...brokers.keys()].map((node) => cluster.send(node, 'control', listGroupsRequest(), { signal })),
  );
  const failed = lists.find((l) => l.errorCode !== 0);
  if (failed) throw groupError(cluster.name, 'ListGroups', '', failed.errorCode);
  const groups = lists.flatMap((l) => l.groups).filter((g) => g.protocolType !== 'share');
  return [...new Set(groups.map((g) => g.group))].sort();
}

/** What each group has committed; a group that can't be asked is an error of its own. */
export function fetchGroupCommits(cluster: KafkaCluster, groups: readonly string[], signal: AbortSignal) {
  return forEachGroup(cluster, 'OffsetFetch', groups, offsetFetchRequest, signal);
}

/** Commits for each group; a group that refuses is an error of its own. */
export function commitGroupOffsets(
  cluster: KafkaCluster,
  commits: ReadonlyMap<string, readonly GroupCommit[]>,
  signal: AbortSignal,
) {
  const request = (group: string) => offsetCommitRequest(group, commits.get(group) ?? []);
  return forEachGroup(cluster, 'OffsetCommit', [...commits.keys()], request, signal);
}

/** Deletes each group; a group that refuses is an error of its own. */
export function deleteGroups(cluster: KafkaCluster, groups: readonly string[], signal: AbortSignal) {
  return forEachGroup(cluster, 'DeleteGroups', groups, deleteGroupRequest, signal);
}

/** Requests that wait for an answer at the same time: each is small, and one connection a broker carries them all. */
const inFlight = 64;
const retryMs = 100;

async function forEachGroup<T>(
  cluster: KafkaCluster,
  call: string,
  groups: readonly string[],
  request: (group: string) => KafkaRequest<{ readonly errorCode: number; readonly value: T }>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, T | ArgusError>> {
  const results = new Map<string, T | ArgusError>();
  let next = 0;
  const work = async () => {
    for (let i = next++; i < groups.length; i = next++) {
      const group = groups[i] as string;
      results.set(group, await atCoordinator(cluster, call, group, request, signal));
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, groups.length) }, work));
  return results;
}

async function atCoordinator<T>(
  cluster: KafkaCluster,
  call: string,
  group: string,
  request: (group: string) => KafkaRequest<{ readonly errorCode: number; readonly value: T }>,
  signal: AbortSignal,
): Promise<T | ArgusError> {
  for (;;) {
    const found = await cluster.ask(() => findGroupCoordinatorRequest(group), signal);
    const answer =
      found.errorCode === 0 ? await cluster.sendTo(found.address, 'groups', request(group), { signal }) : undefined;
    if (answer?.errorCode === 0) return answer.value;
    const code = answer?.errorCode ?? found.errorCode;
    if (!isTransient(code)) return groupError(cluster.name, answer ? call : 'FindCoordinator', group, code);
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    signal.throwIfAborted();
  }
}

/** UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, NON_EMPTY_GROUP, FENCED_MEMBER_EPOCH, STALE_MEMBER_EPOCH. */
const activeCodes: readonly number[] = [22, 25, 27, 68, 110, 113];

function groupError(region: string, call: string, group: string, code: number): ArgusError {
  const of = group === '' ? '' : ` of group "${group}"`;
  if (activeCodes.includes(code)) {
    return new ArgusError('GroupActive', `${region}: group "${group}" has members: it is left alone`, {
      hint: `stop the consumers of "${group}" in ${region}`,
    });
  }
  const message = `${region}: ${call}${of} answered ${errorName(code)}`;
  if (isDenied(code)) {
    const right = missingRight(call, code, { group });
    return new ArgusError('KafkaDenied', right ? `${message}; ${right}` : message, { hint: missingRightHint });
  }
  return new ArgusError('KafkaFailed', message, { retryable: isTransient(code) });
}
