import { z } from 'zod';
import type { Acl } from '../regions/kafka/kafka-acls.ts';

/** A rule of a cluster's authorizer, in a document. */
export const acl = z.object({
  resourceType: z.enum(['topic', 'group', 'cluster', 'transactionalId', 'delegationToken', 'user']),
  resourceName: z.string(),
  patternType: z.enum(['literal', 'prefixed']),
  principal: z.string(),
  host: z.string(),
  operation: z.enum([
    'ALL',
    'READ',
    'WRITE',
    'CREATE',
    'DELETE',
    'ALTER',
    'DESCRIBE',
    'CLUSTER_ACTION',
    'DESCRIBE_CONFIGS',
    'ALTER_CONFIGS',
    'IDEMPOTENT_WRITE',
    'CREATE_TOKENS',
    'DESCRIBE_TOKENS',
    'TWO_PHASE_COMMIT',
  ]),
  permission: z.enum(['ALLOW', 'DENY']),
}) satisfies z.ZodType<Acl>;
