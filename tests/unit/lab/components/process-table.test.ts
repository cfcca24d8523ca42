import { expect, test } from 'vitest';
import { componentOf, parseStat } from '../../../../lab/components/process-table.ts';

const environ = 'PATH=/bin\0ARGUS_LAB_ID=one\0ARGUS_LAB_COMPONENT=mumbai/kafka\0';

test("a process is a lab's by the whole id in its environment", () => {
  expect(componentOf(environ, 'one')).toBe('mumbai/kafka');
  expect(componentOf(environ, 'on')).toBeUndefined();
  expect(componentOf('X=ARGUS_LAB_ID=one\0', 'one')).toBeUndefined();
});

test('a command name with blanks and parentheses does not shift the fields', () => {
  const rest = '1 4242 4242 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 12345 1000000 678 rest';
  expect(parseStat(`4242 (a) b (c) T ${rest}`)).toEqual({ state: 'T', group: 4242, residentPages: 678 });
});
