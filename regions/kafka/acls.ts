import { ArgusError } from '../../domain/errors.ts';
import { missingRight, missingRightHint } from './access.ts';
import { errorName, isDenied, isTransient, kafkaError } from './error-codes.ts';
import type { Acl, AclFilter, AclOperation, AclPatternType, AclPermission, AclResourceType } from './kafka-acls.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import type { BrokerAddress } from './metadata.ts';
import { WireReader, WireWriter } from './wire.ts';

/** Kafka's numbers. Source: `ResourceType`, `PatternType`, `AclOperation`, `AclPermissionType` of Kafka 4.3. */
const resourceTypes: Readonly<Record<AclResourceType, number>> = {
  topic: 2,
  group: 3,
  cluster: 4,
  transactionalId: 5,
  delegationToken: 6,
  user: 7,
};
const patternTypes: Readonly<Record<AclPatternType, number>> = { literal: 3, prefixed: 4 };
/** By number; a bit field of rights has the bit of this number. */
export const operationCodes: Readonly<Record<AclOperation, number>> = {
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
  CREATE_TOKENS: 13,
  DESCRIBE_TOKENS: 14,
  TWO_PHASE_COMMIT: 15,
};
const permissions: Readonly<Record<AclPermission, number>> = { DENY: 2, ALLOW: 3 };
const any = 1;

interface Failure {
  readonly errorCode: number;
  readonly message: string | undefined;
}

/**
 * DescribeAcls (key 29), version 1. An ACL whose fields have numbers that are not known here is left out.
 *
 *     request: type i8 | name string? | pattern i8 | principal string? | host string? | operation i8 | permission i8
 *     response: throttle i32 | error i16 | message string?
 *       | [type i8 | name string | pattern i8 | [principal string | host string | operation i8 | permission i8]]
 *
 * Source: Kafka protocol guide, "DescribeAcls API (Key: 29)"; KIP-140, KIP-290.
 */
function describeAclsRequest(filter: AclFilter): KafkaRequest<Failure & { readonly acls: readonly Acl[] }> {
  const body = new WireWriter();
  writeFilter(body, filter);
  const read = (bytes: Buffer) => {
    const reader = new WireReader(bytes);
    reader.int32();
    const failure = readFailure(reader);
    const resources = reader.array(() => {
      const resource = [reader.int8(), reader.string(), reader.int8()] as const;
      return reader.array(() => toAcl(...resource, reader.string(), reader.string(), reader.int8(), reader.int8()));
    });
    return { ...failure, acls: resources.flat().filter((acl) => acl !== undefined) };
  };
  return { name: 'DescribeAcls', apiKey: 29, apiVersion: 1, body, read };
}

/**
 * CreateAcls (key 30), version 1; making one that exists is no error.
 *
 *     request: [type i8 | name string | pattern i8 | principal string | host string | operation i8 | permission i8]
 *     response: throttle i32 | [error i16 | message string?]
 */
function createAclsRequest(acls: readonly Acl[]): KafkaRequest<readonly Failure[]> {
  const body = new WireWriter();
  body.array(acls, (acl) => writeFilter(body, acl));
  const read = (bytes: Buffer) => {
    const reader = new WireReader(bytes);
    reader.int32();
    return reader.array(() => readFailure(reader));
  };
  return { name: 'CreateAcls', apiKey: 30, apiVersion: 1, body, read };
}

/**
 * DeleteAcls (key 31), version 1, by filters that match one ACL each; gives one failure for each that can't be deleted.
 *
 *     request: as DescribeAcls, in an array
 *     response: throttle i32 | [error i16 | message string? | [error i16 | message string? | type i8 | name string
 *       | pattern i8 | principal string | host string | operation i8 | permission i8]]
 */
function deleteAclsRequest(acls: readonly Acl[]): KafkaRequest<readonly Failure[]> {
  const body = new WireWriter();
  body.array(acls, (acl) => writeFilter(body, acl));
  const read = (bytes: Buffer) => {
    const reader = new WireReader(bytes);
    reader.int32();
    const filters = reader.array(() => {
      const failure = readFailure(reader);
      const deleted = reader.array(() => {
        const one = readFailure(reader);
        reader.int8();
        reader.string();
        reader.int8();
        reader.string();
        reader.string();
        reader.int8();
        reader.int8();
        return one;
      });
      return [failure, ...deleted];
    });
    return filters.flat();
  };
  return { name: 'DeleteAcls', apiKey: 31, apiVersion: 1, body, read };
}

/** The ACLs that match; undefined where the cluster has no authorizer. */
export async function listAcls(
  cluster: KafkaCluster,
  filter: AclFilter,
  signal: AbortSignal,
): Promise<readonly Acl[] | undefined> {
  return described(cluster, await cluster.ask(() => describeAclsRequest(filter), signal));
}

/** As `listAcls`, but the rules that this broker acts by: others may lag behind. */
export async function listAclsAt(
  cluster: KafkaCluster,
  address: BrokerAddress,
  filter: AclFilter,
  signal: AbortSignal,
): Promise<readonly Acl[] | undefined> {
  return described(cluster, await cluster.sendTo(address, 'control', describeAclsRequest(filter), { signal }));
}

function described(cluster: KafkaCluster, answer: Failure & { readonly acls: readonly Acl[] }) {
  if (answer.errorCode === kafkaError.securityDisabled) return undefined;
  throwFailure(cluster.name, 'DescribeAcls', [answer]);
  return answer.acls;
}

/** Makes them all; those that exist stay. */
export async function createAcls(cluster: KafkaCluster, acls: readonly Acl[], signal: AbortSignal): Promise<void> {
  throwFailure(cluster.name, 'CreateAcls', await cluster.ask(() => createAclsRequest(acls), signal));
}

/** Deletes exactly these; one that doesn't exist is no error. */
export async function deleteAcls(cluster: KafkaCluster, acls: readonly Acl[], signal: AbortSignal): Promise<void> {
  throwFailure(cluster.name, 'DeleteAcls', await cluster.ask(() => deleteAclsRequest(acls), signal));
}

function throwFailure(region: string, call: string, answers: readonly Failure[]): void {
  const failed = answers.find((a) => a.errorCode !== 0);
  if (!failed) return;
  const { errorCode } = failed;
  const detail = failed.message ? `: ${failed.message}` : '';
  const message = `${region}: ${call} answered ${errorName(errorCode)}${detail}`;
  if (errorCode === kafkaError.securityDisabled) {
    throw new ArgusError('KafkaNoAuthorizer', `${region}: its brokers have no authorizer: they keep no ACLs`);
  }
  if (isDenied(errorCode)) {
    const right = missingRight(call, errorCode, {});
    throw new ArgusError('KafkaDenied', right ? `${message}; ${right}` : message, { hint: missingRightHint });
  }
  throw new ArgusError('KafkaFailed', message, { retryable: isTransient(errorCode) });
}

function writeFilter(body: WireWriter, filter: AclFilter): void {
  body
    .int8(filter.resourceType === undefined ? any : resourceTypes[filter.resourceType])
    .string(filter.resourceName ?? null)
    .int8(filter.patternType === undefined ? any : patternTypes[filter.patternType])
    .string(filter.principal ?? null)
    .string(filter.host ?? null)
    .int8(filter.operation === undefined ? any : operationCodes[filter.operation])
    .int8(filter.permission === undefined ? any : permissions[filter.permission]);
}

function readFailure(reader: WireReader): Failure {
  return { errorCode: reader.int16(), message: reader.nullableString() ?? undefined };
}

function toAcl(
  resource: number,
  resourceName: string,
  pattern: number,
  principal: string,
  host: string,
  op: number,
  allow: number,
): Acl | undefined {
  const resourceType = nameOf(resourceTypes, resource);
  const patternType = nameOf(patternTypes, pattern);
  const operation = nameOf(operationCodes, op);
  const permission = nameOf(permissions, allow);
  if (!resourceType || !patternType || !operation || !permission) return undefined;
  return { resourceType, resourceName, patternType, principal, host, operation, permission };
}

function nameOf<K extends string>(numbers: Readonly<Record<K, number>>, number: number): K | undefined {
  return (Object.keys(numbers) as K[]).find((name) => numbers[name] === number);
}
