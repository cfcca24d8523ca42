export type AclResourceType = 'topic' | 'group' | 'cluster' | 'transactionalId' | 'delegationToken' | 'user';
export type AclPatternType = 'literal' | 'prefixed';
export type AclPermission = 'ALLOW' | 'DENY';
/** Kafka's own names. */
export type AclOperation =
  | 'ALL'
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE'
  | 'CREATE_TOKENS'
  | 'DESCRIBE_TOKENS'
  | 'TWO_PHASE_COMMIT';

/** One rule of a cluster's authorizer, as it stands there. */
export interface Acl {
  readonly resourceType: AclResourceType;
  /** `*` with a literal pattern is every one; of the cluster `kafka-cluster`. */
  readonly resourceName: string;
  readonly patternType: AclPatternType;
  /** `User:name`; `User:*` is everybody. */
  readonly principal: string;
  /** An address; `*` is every one. */
  readonly host: string;
  readonly operation: AclOperation;
  readonly permission: AclPermission;
}

/** What is not given matches everything. */
export type AclFilter = Partial<Acl>;

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The rules of one cluster. Reading needs DESCRIBE on the cluster, changing ALTER; else `KafkaDenied`. */
export interface KafkaAcls {
  /** The rules that match; undefined where the cluster has no authorizer. */
  listAcls(filter?: AclFilter, options?: CallOptions): Promise<readonly Acl[] | undefined>;
  /**
   * Makes them; one that exists stays. Brokers keep a rule some moments after the answer: list them to see it.
   * Without an authorizer `KafkaNoAuthorizer`.
   */
  createAcls(acls: readonly Acl[], options?: CallOptions): Promise<void>;
  /** Takes exactly these away; one that doesn't exist is no error. Without an authorizer `KafkaNoAuthorizer`. */
  deleteAcls(acls: readonly Acl[], options?: CallOptions): Promise<void>;
}

/** The same for the same rule, and for no other. */
export function aclKey(acl: Acl): string {
  const { resourceType, resourceName, patternType, principal, host, operation, permission } = acl;
  return JSON.stringify([resourceType, resourceName, patternType, principal, host, operation, permission]);
}
