import { describe, expect, test } from 'vitest';
import { nextFetchBytes, planFetches } from '../../../../replication/topics/fetch-size.ts';

const mib = 1024 * 1024;

describe('how much of a partition is asked for', () => {
  test.each([
    { askedBytes: 1 * mib, receivedBytes: 1 * mib, moreThere: true, next: 2 * mib },
    { askedBytes: 8 * mib, receivedBytes: 8 * mib, moreThere: true, next: 8 * mib },
    { askedBytes: 4 * mib, receivedBytes: 3 * mib, moreThere: false, next: 4 * mib },
    { askedBytes: 4 * mib, receivedBytes: 1_000, moreThere: false, next: 2 * mib },
    { askedBytes: 1 * mib, receivedBytes: 0, moreThere: false, next: 1 * mib },
  ])('after $receivedBytes of $askedBytes bytes, more there: $moreThere', ({ next, ...outcome }) => {
    expect(nextFetchBytes(outcome, mib, 8 * mib)).toBe(next);
  });
});

describe('how partitions are fetched', () => {
  const tuning = { fetchMaxBytes: 4 * mib, farFetchMaxBytes: 8 * mib, partitionMaxBytes: mib };
  test.each([
    { roundTripMs: 1, partitions: 4, connections: 1, answer: 4, most: 1 },
    { roundTripMs: 80, partitions: 1, connections: 1, answer: 8, most: 8 },
    { roundTripMs: 80, partitions: 2, connections: 2, answer: 8, most: 8 },
    { roundTripMs: 80, partitions: 100, connections: 4, answer: 4, most: 4 },
    { roundTripMs: 30, partitions: 100, connections: 2, answer: 8, most: 8 },
    { roundTripMs: 300, partitions: 0, connections: 1, answer: 8, most: 8 },
  ])('at $roundTripMs ms, $partitions partitions: over $connections', ({ roundTripMs, partitions, ...expected }) => {
    const { connections, answerBytes, partitionBytes } = planFetches(roundTripMs, partitions, tuning);
    expect({ connections, answer: answerBytes / mib, most: partitionBytes.most / mib }).toEqual(expected);
    expect(partitionBytes.least).toBe(mib);
  });
});
