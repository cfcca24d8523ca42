import { expect, test } from 'vitest';
import { decideSlot } from '../../../../regions/kafka/mirror-ids.ts';

test.each([
  ['no broker answered for it', undefined, 'wait'],
  ['its coordinator loads', { errorCode: 14, state: '' }, 'wait'],
  ['its coordinator is unknown', { errorCode: 15, state: '' }, 'wait'],
  ['its marker still comes', { errorCode: 0, state: 'PrepareAbort' }, 'wait'],
  ['an epoch is being raised', { errorCode: 0, state: 'PrepareEpochFence' }, 'wait'],
  ['it stands open', { errorCode: 0, state: 'Ongoing' }, 'open'],
  ['it was committed', { errorCode: 0, state: 'CompleteCommit' }, 'ended'],
  ['it was made and not used', { errorCode: 0, state: 'Empty' }, 'ended'],
  ['it was never used', { errorCode: 105, state: '' }, 'unknown'],
  ['nothing may be told of it', { errorCode: 53, state: '' }, 'unknown'],
  ['the broker does not understand', { errorCode: 35, state: '' }, 'refused'],
] as const)('of a transactional id when %s', (_name, answer, expected) => {
  expect(decideSlot(answer)).toBe(expected);
});
