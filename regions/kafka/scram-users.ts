import { ArgusError } from '../../domain/errors.ts';
import { errorName, isDenied } from './error-codes.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** Mechanisms of each user who has a SCRAM secret, sorted: `SCRAM-SHA-256`, `SCRAM-SHA-512`. */
export type ScramUsers = ReadonlyMap<string, readonly string[]>;

const mechanisms: Readonly<Record<number, string>> = { 1: 'SCRAM-SHA-256', 2: 'SCRAM-SHA-512' };

interface Answer {
  readonly errorCode: number;
  readonly users: ScramUsers;
}

/**
 * DescribeUserScramCredentials (key 50), version 0 (flexible), for all users; of a secret no broker gives more than that
 * it exists.
 *
 *     request: tags | compact [user compact string | tags], null for all | tags
 *     response: tags | throttle i32 | error i16 | message compact string? | compact [user compact string | error i16
 *       | message compact string? | compact [mechanism i8 | iterations i32 | tags] | tags] | tags
 *
 * Source: KIP-554; Kafka protocol guide.
 */
export function scramUsersRequest(): KafkaRequest<Answer> {
  const body = new WireWriter().uvarint(0).uvarint(0).uvarint(0);
  return {
    name: 'DescribeUserScramCredentials',
    apiKey: 50,
    apiVersion: 0,
    body,
    read: readScramUsersResponse,
  };
}

/** Decodes the response, version 0, from the tagged fields of its header on. */
export function readScramUsersResponse(bytes: Buffer): Answer {
  const reader = new WireReader(bytes);
  reader.tags();
  reader.int32();
  const errorCode = reader.int16();
  reader.compactNullableString();
  const users = reader.compactArray(() => {
    const user = reader.compactNullableString() ?? '';
    reader.int16();
    reader.compactNullableString();
    const own = reader.compactArray(() => {
      const mechanism = reader.int8();
      reader.int32();
      reader.tags();
      return mechanisms[mechanism] ?? `mechanism ${mechanism}`;
    });
    reader.tags();
    return [user, own.sort()] as const;
  });
  return { errorCode, users: new Map(users.filter(([, own]) => own.length > 0)) };
}

/** The users of a cluster with a SCRAM secret. `KafkaDenied` without DESCRIBE on the cluster. */
export async function readScramUsers(cluster: KafkaCluster, signal: AbortSignal): Promise<ScramUsers> {
  const { errorCode, users } = await cluster.ask(scramUsersRequest, signal);
  if (errorCode === 0) return users;
  const message = `${cluster.name}: DescribeUserScramCredentials answered ${errorName(errorCode)}`;
  throw new ArgusError(isDenied(errorCode) ? 'KafkaDenied' : 'KafkaFailed', message, {
    hint: 'allow Argus DESCRIBE on the cluster',
  });
}
