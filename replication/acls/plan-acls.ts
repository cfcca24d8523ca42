import { type Acl, type AclOperation, aclKey } from '../../regions/kafka/kafka-acls.ts';

/** What is mirrored: its ACLs are carried over, others are not. */
export interface MirroredNames {
  readonly topics: readonly string[];
  readonly groups: readonly string[];
}

export interface CarriedAcls {
  /** The standby is to have these from now on. */
  readonly now: readonly Acl[];
  /** It is to have these from its promotion on. */
  readonly withheld: readonly Acl[];
}

export interface AclPlan {
  readonly create: readonly Acl[];
  readonly remove: readonly Acl[];
  /** What Argus has made on the standby, and may take away, once the plan is carried out. */
  readonly made: readonly Acl[];
  readonly withheld: readonly Acl[];
}

/** What changes nothing. The others could write to a copy, or alter it, while it is one. */
const reading: readonly AclOperation[] = ['READ', 'DESCRIBE', 'DESCRIBE_CONFIGS'];
/** The part of ALL that changes nothing. READ of a group alone lets its members commit. */
const readPart: Readonly<Record<'topic' | 'group', readonly AclOperation[]>> = {
  topic: ['READ', 'DESCRIBE', 'DESCRIBE_CONFIGS'],
  group: ['READ', 'DESCRIBE'],
};

/**
 * What the source's rules are on the standby: those of mirrored topics and followed groups, literal and prefixed. A rule
 * for every topic (`*`) becomes one for each mirrored one, since the standby may have topics of its own. Rules of the
 * principals in `except` (the mirror's own) stay out. Pure.
 */
export function carriedAcls(
  source: readonly Acl[],
  mirrored: MirroredNames,
  except: readonly string[] = [],
): CarriedAcls {
  const now = new Map<string, Acl>();
  const withheld = new Map<string, Acl>();
  for (const rule of source) {
    if (except.includes(rule.principal)) continue;
    for (const acl of onMirrored(rule, mirrored)) {
      const parts = acl.operation === 'ALL' ? readPart[acl.resourceType as 'topic' | 'group'] : [acl.operation];
      for (const operation of parts) {
        const part = { ...acl, operation };
        const list = reading.includes(operation) ? now : withheld;
        list.set(aclKey(part), part);
      }
      if (acl.operation === 'ALL') withheld.set(aclKey(acl), acl);
    }
  }
  return { now: [...now.values()], withheld: [...withheld.values()] };
}

function onMirrored(rule: Acl, { topics, groups }: MirroredNames): readonly Acl[] {
  const { resourceType, resourceName, patternType } = rule;
  if (resourceType !== 'topic' && resourceType !== 'group') return [];
  const names = resourceType === 'topic' ? topics : groups;
  if (patternType === 'prefixed') return names.some((n) => n.startsWith(resourceName)) ? [rule] : [];
  if (resourceName === '*') return names.map((n) => ({ ...rule, resourceName: n }));
  return names.includes(resourceName) ? [rule] : [];
}

/**
 * What to do so that the standby's rules are the source's, but for what is withheld. Only what Argus made (`made`) is
 * ever taken away; what somebody took away on the standby is made again. Pure.
 */
export function planAcls(carried: CarriedAcls, standby: readonly Acl[], made: readonly Acl[]): AclPlan {
  const there = new Set(standby.map(aclKey));
  const wanted = new Set(carried.now.map(aclKey));
  const create = carried.now.filter((acl) => !there.has(aclKey(acl)));
  const ours = made.filter((acl) => there.has(aclKey(acl)));
  return {
    create,
    remove: ours.filter((acl) => !wanted.has(aclKey(acl))),
    made: [...ours.filter((acl) => wanted.has(aclKey(acl))), ...create],
    withheld: carried.withheld,
  };
}

/** A rule in few words, for people. */
export function describeAcl({
  permission,
  principal,
  host,
  operation,
  resourceType,
  resourceName,
  patternType,
}: Acl): string {
  const from = host === '*' ? '' : ` from ${host}`;
  const name = patternType === 'prefixed' ? `${resourceName}*` : resourceName;
  return `${permission} ${principal}${from} ${operation} on ${resourceType} ${name}`;
}
