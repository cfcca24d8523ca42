import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparable, differingMembers, digestOf } from '../../../../drills/compare/record-digest.ts';
import { encodeBody, type RecordBody } from '../../../../regions/kafka/record-body.ts';

const body = (value: string | null, over: Partial<RecordBody> = {}): RecordBody => ({
  key: Buffer.from('k'),
  value: value === null ? null : Buffer.from(value),
  headers: [],
  ...over,
});
const digest = (record: RecordBody, ignore: readonly string[] = []) => digestOf(encodeBody(record), ignore);

test.each<[string, RecordBody, RecordBody, readonly string[], boolean]>([
  ['the same bytes', body('x'), body('x'), [], true],
  ['another value', body('x'), body('y'), [], false],
  ['no value and an empty one', body(null), body(''), [], false],
  ['another header', body('x'), body('x', { headers: [{ name: Buffer.from('h'), value: null }] }), [], false],
  ['JSON in another order of members, to the byte', body('{"a":1,"b":2}'), body('{"b":2,"a":1}'), [], false],
  ['the same, with something left out', body('{"a":1,"b":2,"t":5}'), body('{"b":2, "a":1,"t":6}'), ['/t'], true],
  ['what is left out inside', body('{"a":{"t":[1,2]}}'), body('{"a":{"t":[1,3]}}'), ['/a/t/1'], true],
  ['something else beside what is left out', body('{"a":1,"t":5}'), body('{"a":2,"t":5}'), ['/t'], false],
  [
    'numbers beyond what JavaScript knows',
    body('{"a":9007199254740993}'),
    body('{"a":9007199254740992}'),
    ['/t'],
    false,
  ],
  ['no JSON, with something left out', body('{"a"'), body('{"a"'), ['/t'], true],
  ['escapes of a pointer', body('{"a/b":1,"~":2}'), body('{"a/b":3,"~":4}'), ['/a~1b', '/~0'], true],
])('%s', (_, a, b, ignore, same) => {
  expect(digest(a, ignore).content === digest(b, ignore).content).toBe(same);
  expect(digest(a, ignore).key).toBe(digest(b, ignore).key);
});

test('records of different keys have different ones, and no key is none', () => {
  expect(digest(body('x', { key: Buffer.from('l') })).key).not.toBe(digest(body('x')).key);
  expect(digest(body('x', { key: null })).key).toBeUndefined();
});

test('a prototype’s members are no members of a value', () => {
  expect(comparable(Buffer.from('{"a":1}'), ['/constructor/prototype', '/__proto__/x']).toString()).toBe('{"a":1}');
});

test('any JSON is as it was, whatever the order of its members', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (json) => {
      const back = Object.fromEntries(Object.entries(json).reverse());
      const text = (value: unknown) => comparable(Buffer.from(JSON.stringify(value)), ['/-no-such-member']).toString();
      expect(text(back)).toBe(text(json));
      expect(JSON.parse(text(json))).toEqual(JSON.parse(JSON.stringify(json)));
    }),
  );
});

test('what differs is told by its name, never by what it holds', () => {
  expect(differingMembers(body('{"a":1,"b":"secret","t":1}'), body('{"a":1,"c":2,"t":2}'), ['/t'])).toEqual([
    '/b',
    '/c',
  ]);
  expect(differingMembers(body('x'), body('{}'), [])).toBeUndefined();
});
