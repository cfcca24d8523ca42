import { describe, expect, test } from 'vitest';
import type { Acl } from '../../../../regions/kafka/kafka-acls.ts';
import { fencedTopics, fenceRules, otherWriters } from '../../../../runbooks/fencing/fence-rules.ts';

const rule = (over: Partial<Acl>): Acl => ({
  resourceType: 'topic',
  resourceName: 'events',
  patternType: 'literal',
  principal: 'User:x',
  host: '*',
  operation: 'WRITE',
  permission: 'ALLOW',
  ...over,
});

test('a fence denies each topic and every transactional id to each principal', () => {
  const rules = fenceRules(['User:a', 'User:b', 'User:a'], ['events', 'metrics']);
  expect(rules.map((r) => `${r.permission} ${r.principal} ${r.operation} ${r.resourceType} ${r.resourceName}`)).toEqual(
    [
      'DENY User:a WRITE topic events',
      'DENY User:a WRITE topic metrics',
      'DENY User:a WRITE transactionalId *',
      'DENY User:b WRITE topic events',
      'DENY User:b WRITE topic metrics',
      'DENY User:b WRITE transactionalId *',
    ],
  );
});

test('a fence covers what is mirrored, what jobs write and what is named', () => {
  const job = { name: 'counts', writes: ['metrics', 'events'] } as never;
  expect(fencedTopics({ topics: ['events'], jobs: [job] }, { topics: ['audit'] })).toEqual([
    'audit',
    'events',
    'metrics',
  ]);
});

describe('who else may write', () => {
  test.each<[string, readonly Acl[], readonly string[]]>([
    ['nobody without a rule', [], []],
    ['a principal with WRITE', [rule({})], ['User:x']],
    ['one with ALL on a prefix', [rule({ operation: 'ALL', resourceName: 'ev', patternType: 'prefixed' })], ['User:x']],
    ['everybody by a rule for every topic', [rule({ principal: 'User:*', resourceName: '*' })], ['User:*']],
    ['not one of another topic', [rule({ resourceName: 'events2' })], []],
    ['not one who only reads', [rule({ operation: 'READ' })], []],
    ['not one who is known', [rule({ principal: 'User:ingest' })], []],
    ['not one who is denied', [rule({}), rule({ permission: 'DENY' })], []],
    ['one who is denied from one address only', [rule({}), rule({ permission: 'DENY', host: '10.0.0.1' })], ['User:x']],
    ['not one when everybody is denied', [rule({}), rule({ permission: 'DENY', principal: 'User:*' })], []],
  ])('%s', (_, rules, others) => {
    expect(otherWriters(rules, ['events', 'metrics'], ['User:ingest'])).toEqual(others);
  });
});
