import type { TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** Of which agreement one speaks to the group's coordinator, and as whom. */
export interface GroupSeat {
  readonly group: string;
  readonly generation: number;
  readonly memberId: string;
}

/** What the leader of a group learns of each member: its id, and what it said of itself. */
export interface JoinedMember {
  readonly memberId: string;
  readonly metadata: Buffer;
}

export interface JoinAnswer {
  readonly errorCode: number;
  readonly generation: number;
  readonly leader: string;
  readonly memberId: string;
  /** Only the leader is told. */
  readonly members: readonly JoinedMember[];
}

/**
 * JoinGroup (key 11), version 4, with one protocol, named `range` as the standard consumer's first one is.
 *
 *     request: group string | sessionTimeout i32 | rebalanceTimeout i32 | member string | protocolType string
 *       | [protocol string | metadata bytes]
 *     response: throttle i32 | error i16 | generation i32 | protocol string? | leader string | member string
 *       | [member string | metadata bytes]
 *
 * Source: Kafka protocol guide, "JoinGroup API (Key: 11)"; member ids are given first since KIP-394.
 */
export function joinGroupRequest(join: {
  readonly group: string;
  readonly memberId: string;
  readonly sessionMs: number;
  readonly rebalanceMs: number;
  readonly metadata: Buffer;
}): KafkaRequest<JoinAnswer> {
  const body = new WireWriter().string(join.group).int32(join.sessionMs).int32(join.rebalanceMs).string(join.memberId);
  body.string('consumer').array([join.metadata], (metadata) => {
    body.string('range').bytes(metadata);
  });
  return { name: 'JoinGroup', apiKey: 11, apiVersion: 4, body, read: readJoinGroupResponse };
}

/** Decodes the body of a JoinGroup response, version 4. */
export function readJoinGroupResponse(bytes: Buffer): JoinAnswer {
  const reader = new WireReader(bytes);
  reader.int32();
  const errorCode = reader.int16();
  const generation = reader.int32();
  reader.nullableString();
  const leader = reader.string();
  const memberId = reader.string();
  const members = reader.array(() => ({ memberId: reader.string(), metadata: Buffer.from(reader.bytes()) }));
  return { errorCode, generation, leader, memberId, members };
}

/**
 * SyncGroup (key 14), version 1: the leader hands out what it decided, the others ask for it.
 *
 *     request: group string | generation i32 | member string | [member string | assignment bytes]
 *     response: throttle i32 | error i16 | assignment bytes
 */
export function syncGroupRequest(
  seat: GroupSeat,
  assignments: ReadonlyMap<string, Buffer>,
): KafkaRequest<{ readonly errorCode: number; readonly assignment: Buffer }> {
  const body = seated(seat);
  body.array([...assignments], ([memberId, assignment]) => {
    body.string(memberId).bytes(assignment);
  });
  const read = (bytes: Buffer) => {
    const reader = new WireReader(bytes);
    reader.int32();
    return { errorCode: reader.int16(), assignment: Buffer.from(reader.bytes()) };
  };
  return { name: 'SyncGroup', apiKey: 14, apiVersion: 1, body, read };
}

/**
 * Heartbeat (key 12), version 1.
 *
 *     request: group string | generation i32 | member string
 *     response: throttle i32 | error i16
 */
export function heartbeatRequest(seat: GroupSeat): KafkaRequest<number> {
  return { name: 'Heartbeat', apiKey: 12, apiVersion: 1, body: seated(seat), read: readErrorOnly };
}

/**
 * LeaveGroup (key 13), version 1.
 *
 *     request: group string | member string
 *     response: throttle i32 | error i16
 */
export function leaveGroupRequest({ group, memberId }: Omit<GroupSeat, 'generation'>): KafkaRequest<number> {
  const body = new WireWriter().string(group).string(memberId);
  return { name: 'LeaveGroup', apiKey: 13, apiVersion: 1, body, read: readErrorOnly };
}

export interface DescribedGroup {
  readonly errorCode: number;
  /** `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Empty`, `Dead`. */
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly host: string;
    readonly assignment: Buffer;
  }[];
}

/**
 * DescribeGroups (key 15), version 1, of one group.
 *
 *     request: [group string]
 *     response: throttle i32 | [error i16 | group string | state string | protocolType string | protocol string
 *       | [member string | client string | host string | metadata bytes | assignment bytes]]
 */
export function describeGroupRequest(group: string): KafkaRequest<DescribedGroup> {
  const body = new WireWriter();
  body.array([group], (name) => {
    body.string(name);
  });
  return { name: 'DescribeGroups', apiKey: 15, apiVersion: 1, body, read: readDescribeGroupResponse };
}

/** Decodes the body of a DescribeGroups response, version 1, of one group. */
export function readDescribeGroupResponse(bytes: Buffer): DescribedGroup {
  const reader = new WireReader(bytes);
  reader.int32();
  const groups = reader.array(() => {
    const errorCode = reader.int16();
    reader.string();
    const state = reader.string();
    reader.string();
    reader.string();
    const members = reader.array(() => {
      const [memberId, clientId, host] = [reader.string(), reader.string(), reader.string()];
      reader.bytes();
      return { memberId, clientId, host, assignment: Buffer.from(reader.bytes()) };
    });
    return { errorCode, state, members };
  });
  return groups[0] ?? { errorCode: 0, state: 'Dead', members: [] };
}

/**
 * What a member says of itself, as the standard consumer does: it owns these partitions, and subscribes to nothing.
 *
 *     version i16 (1) | topics [] | userData bytes | [topic string | [partition i32]]
 *
 * Source: org.apache.kafka.clients.consumer.internals.ConsumerProtocol, ConsumerProtocolSubscription.json.
 */
export function encodeSubscription(owned: readonly TopicPartition[]): Buffer {
  return bytesOf(writePartitions(new WireWriter().int16(1).int32(0).bytes(Buffer.alloc(0)), owned));
}

/** The partitions that a member says it owns. */
export function readSubscription(bytes: Buffer): readonly TopicPartition[] {
  const reader = new WireReader(bytes);
  reader.int16();
  reader.array(() => reader.string());
  reader.bytes();
  return readPartitions(reader);
}

/** A member's part, and the agreement that it belongs to. */
export interface Assignment {
  readonly generation: number;
  readonly partitions: readonly TopicPartition[];
}

/**
 * A member's part in the standard consumer's form, so that Kafka's own tools show it; the generation is user data.
 *
 *     version i16 (0) | [topic string | [partition i32]] | userData bytes (generation i32)
 */
export function encodeAssignment({ generation, partitions }: Assignment): Buffer {
  const userData = Buffer.alloc(4);
  userData.writeInt32BE(generation);
  return bytesOf(writePartitions(new WireWriter().int16(0), partitions).bytes(userData));
}

/** Decodes a member's part; undefined when it has none yet. */
export function readAssignment(bytes: Buffer): Assignment | undefined {
  if (bytes.length === 0) return undefined;
  const reader = new WireReader(bytes);
  reader.int16();
  const partitions = readPartitions(reader);
  return { partitions, generation: new WireReader(reader.bytes()).int32() };
}

function writePartitions(body: WireWriter, partitions: readonly TopicPartition[]): WireWriter {
  return body.array(byTopic(partitions), ([topic, list]) => {
    body.string(topic).array(list, (p) => {
      body.int32(p.partition);
    });
  });
}

function readPartitions(reader: WireReader): readonly TopicPartition[] {
  const topics = reader.array(() => {
    const topic = reader.string();
    return reader.array(() => ({ topic, partition: reader.int32() }));
  });
  return topics.flat();
}

function seated({ group, generation, memberId }: GroupSeat): WireWriter {
  return new WireWriter().string(group).int32(generation).string(memberId);
}

function readErrorOnly(bytes: Buffer): number {
  const reader = new WireReader(bytes);
  reader.int32();
  return reader.int16();
}

function bytesOf(body: WireWriter): Buffer {
  return Buffer.concat(body.finish().chunks);
}
