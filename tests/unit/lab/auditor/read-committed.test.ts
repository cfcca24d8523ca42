import { expect, test } from 'vitest';
import { parseCommitted } from '../../../../lab/auditor/read-committed.ts';

test('a line of the reader is a record', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  expect(parseCommitted(`1 42 ${base64('ключ')} ${base64('{"count":1}')}`)).toEqual({
    partition: 1,
    offset: 42,
    key: 'ключ',
    value: '{"count":1}',
  });
  expect(parseCommitted('0 0 - -')).toEqual({ partition: 0, offset: 0, key: '', value: '' });
});

test('what is no record is named', () => {
  expect(() => parseCommitted('0 7')).toThrow('not a record: 0 7');
});
