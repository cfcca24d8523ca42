import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Acl, aclKey } from '../../../../regions/kafka/kafka-acls.ts';
import { carriedAcls, describeAcl, planAcls } from '../../../../replication/acls/plan-acls.ts';

const mirrored = { topics: ['events', 'orders-eu', 'orders-us'], groups: ['counts'] };
const rule = (over: Partial<Acl> = {}): Acl => ({
  resourceType: 'topic',
  resourceName: 'events',
  patternType: 'literal',
  principal: 'User:shop',
  host: '*',
  operation: 'READ',
  permission: 'ALLOW',
  ...over,
});
const said = (acls: readonly Acl[]) => acls.map(describeAcl).sort();

describe('what is carried over', () => {
  test.each<[string, Partial<Acl>, string[], string[]]>([
    ['reading', {}, ['ALLOW User:shop READ on topic events'], []],
    [
      'a principal`s address',
      { host: '10.0.0.7', operation: 'DESCRIBE' },
      ['ALLOW User:shop from 10.0.0.7 DESCRIBE on topic events'],
      [],
    ],
    ['writing', { operation: 'WRITE' }, [], ['ALLOW User:shop WRITE on topic events']],
    ['altering', { operation: 'ALTER_CONFIGS' }, [], ['ALLOW User:shop ALTER_CONFIGS on topic events']],
    [
      'everything',
      { operation: 'ALL' },
      [
        'ALLOW User:shop DESCRIBE on topic events',
        'ALLOW User:shop DESCRIBE_CONFIGS on topic events',
        'ALLOW User:shop READ on topic events',
      ],
      ['ALLOW User:shop ALL on topic events'],
    ],
    ['a denied read', { permission: 'DENY' }, ['DENY User:shop READ on topic events'], []],
    ['a denied write', { permission: 'DENY', operation: 'WRITE' }, [], ['DENY User:shop WRITE on topic events']],
    [
      'a prefix of a mirrored topic',
      { resourceName: 'orders-', patternType: 'prefixed' },
      ['ALLOW User:shop READ on topic orders-*'],
      [],
    ],
    ['a prefix of none', { resourceName: 'bills-', patternType: 'prefixed' }, [], []],
    ['a topic that is not mirrored', { resourceName: 'bills' }, [], []],
    ['a name that only looks like a prefix', { resourceName: 'orders-' }, [], []],
    [
      'every topic',
      { resourceName: '*', operation: 'DESCRIBE' },
      [
        'ALLOW User:shop DESCRIBE on topic events',
        'ALLOW User:shop DESCRIBE on topic orders-eu',
        'ALLOW User:shop DESCRIBE on topic orders-us',
      ],
      [],
    ],
    [
      'a followed group',
      { resourceType: 'group', resourceName: 'counts' },
      ['ALLOW User:shop READ on group counts'],
      [],
    ],
    [
      'all of a group',
      { resourceType: 'group', resourceName: 'counts', operation: 'ALL' },
      ['ALLOW User:shop DESCRIBE on group counts', 'ALLOW User:shop READ on group counts'],
      ['ALLOW User:shop ALL on group counts'],
    ],
    ['another group', { resourceType: 'group', resourceName: 'billing' }, [], []],
    ['a group that is called like a topic', { resourceType: 'group', resourceName: 'events' }, [], []],
    ['the cluster', { resourceType: 'cluster', resourceName: 'kafka-cluster', operation: 'ALTER' }, [], []],
    ['a transactional id', { resourceType: 'transactionalId', resourceName: 'events', operation: 'WRITE' }, [], []],
  ])('%s', (_, over, now, withheld) => {
    const carried = carriedAcls([rule(over)], mirrored);
    expect(said(carried.now)).toEqual(now);
    expect(said(carried.withheld)).toEqual(withheld);
  });

  test('leaves the rules of the mirror`s own principal out', () => {
    expect(carriedAcls([rule({ principal: 'User:argus' })], mirrored, ['User:argus']).now).toEqual([]);
  });
});

describe('what is done on the standby', () => {
  const [a, b, c] = [rule(), rule({ operation: 'DESCRIBE' }), rule({ principal: 'User:billing' })] as const;
  test.each<[string, Acl[], Acl[], Acl[], { create: Acl[]; remove: Acl[]; made: Acl[] }]>([
    ['makes what is absent', [a, b], [], [], { create: [a, b], remove: [], made: [a, b] }],
    ['leaves what somebody else made', [a], [a], [], { create: [], remove: [], made: [] }],
    ['takes away what it made itself', [a], [a, b], [a, b], { create: [], remove: [b], made: [a] }],
    ['takes away nothing that somebody else made', [a], [a, b, c], [a, b], { create: [], remove: [b], made: [a] }],
    ['makes again what was taken away there', [a], [], [a], { create: [a], remove: [], made: [a] }],
    ['forgets what is gone on both sides', [], [], [a], { create: [], remove: [], made: [] }],
  ])('%s', (_, now, standby, made, expected) => {
    expect(planAcls({ now, withheld: [] }, standby, made)).toEqual({ ...expected, withheld: [] });
  });

  const anyAcl: fc.Arbitrary<Acl> = fc.record({
    resourceType: fc.constantFrom('topic', 'group') as fc.Arbitrary<'topic' | 'group'>,
    resourceName: fc.constantFrom('events', 'orders-', '*', 'counts', 'bills'),
    patternType: fc.constantFrom('literal', 'prefixed') as fc.Arbitrary<'literal' | 'prefixed'>,
    principal: fc.constantFrom('User:a', 'User:b'),
    host: fc.constant('*'),
    operation: fc.constantFrom('ALL', 'READ', 'WRITE', 'DESCRIBE', 'DELETE') as fc.Arbitrary<Acl['operation']>,
    permission: fc.constantFrom('ALLOW', 'DENY') as fc.Arbitrary<Acl['permission']>,
  });
  const acls = fc.array(anyAcl, { maxLength: 8 });

  test('never lets anybody write before promotion, never touches what others made, and settles in one round', () => {
    fc.assert(
      fc.property(acls, acls, acls, (source, others, stale) => {
        const carried = carriedAcls(source, mirrored);
        const made = stale.filter((s) => !others.some((o) => aclKey(o) === aclKey(s)));
        const standby = new Map([...others, ...made].map((acl) => [aclKey(acl), acl]));
        const plan = planAcls(carried, [...standby.values()], made);
        expect(plan.create.some((acl) => ['ALL', 'WRITE', 'DELETE'].includes(acl.operation))).toBe(false);
        for (const acl of plan.remove) standby.delete(aclKey(acl));
        for (const acl of plan.create) standby.set(aclKey(acl), acl);
        for (const acl of others) expect(standby.has(aclKey(acl))).toBe(true);
        for (const acl of carried.now) expect(standby.has(aclKey(acl))).toBe(true);
        const again = planAcls(carried, [...standby.values()], plan.made);
        expect([again.create, again.remove]).toEqual([[], []]);
        expect(new Set(again.made.map(aclKey))).toEqual(new Set(plan.made.map(aclKey)));
      }),
    );
  });
});
