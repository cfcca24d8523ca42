import { describe, expect, test } from 'vitest';
import type { Acl } from '../../../../regions/kafka/kafka-acls.ts';
import { byHand, skewWarnings } from '../../../../replication/topics/check-clusters.ts';

describe('clocks', () => {
  const at = (aheadMs: number, uncertaintyMs = 10) => ({ aheadMs, uncertaintyMs });
  test.each<[string, Parameters<typeof skewWarnings>[0], RegExp[]]>([
    ['agree', { a: at(3), b: at(-40) }, []],
    ['that nobody could ask', { a: undefined, b: undefined }, []],
    ['may agree, as long as the question took', { a: at(9_000, 8_000), b: at(0) }, []],
    [
      'ahead of this machine',
      { a: at(7_000), b: at(7_000) },
      [/a's Kafka is 7\.0 s ahead of this/, /b's Kafka is 7\.0 s/],
    ],
    ['behind', { a: at(-61_000), b: undefined }, [/a's Kafka is 61\.0 s behind this/]],
    ['of both sides differ', { a: at(-3_000), b: at(4_000) }, [/clock of a's Kafka is 7\.0 s behind that of b/]],
  ])('%s', (_, clocks, expected) => {
    expect(skewWarnings(clocks)).toEqual(expected.map((e) => expect.stringMatching(e)));
  });
});

describe('what is to be made by hand', () => {
  const acl: Acl = {
    resourceType: 'cluster',
    resourceName: 'kafka-cluster',
    patternType: 'literal',
    principal: 'User:shop',
    host: '*',
    operation: 'IDEMPOTENT_WRITE',
    permission: 'ALLOW',
  };
  const seen = { source: 'a', standby: 'b', acls: undefined, topics: ['events'], schemas: false };
  const said = (over: Partial<Parameters<typeof byHand>[0]>) =>
    byHand({ ...seen, ...over })
      .map((b) => b.what)
      .join('\n');

  test('names secrets, certificates, tokens, quotas and names, always', () => {
    expect(said({})).toMatch(
      /SCRAM secrets:[\s\S]*certificates[\s\S]*delegation tokens[\s\S]*quotas[\s\S]*bootstrap\.servers/,
    );
  });
  test('names the users that ACLs know, and ACLs that are not carried', () => {
    const text = said({ acls: [acl, { ...acl, principal: 'User:*', resourceType: 'topic', resourceName: 'events' }] });
    expect(text).toMatch(/SCRAM secrets of User:shop:/);
    expect(text).toMatch(/1 ACLs of other things[\s\S]*User:shop IDEMPOTENT_WRITE on cluster kafka-cluster/);
  });
  test('tells a Schema Registry`s topic from one that is not mirrored', () => {
    expect(said({ schemas: true })).toMatch(/_schemas, which `topics` doesn't name/);
    expect(said({ schemas: true, topics: ['_schemas'] })).toMatch(/ids are those of the mirrored _schemas, unchanged/);
    expect(said({})).not.toMatch(/_schemas/);
  });
});
