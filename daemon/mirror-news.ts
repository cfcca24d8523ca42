import type { MirrorStatus, PartitionStatus } from '../replication/topics/mirror-status.ts';

/** Something about a partition that people have to know, once. */
export interface MirrorNews {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

/** What has changed between two looks at a mirror: partitions that stopped, that wait, and that go on again. Pure. */
export function mirrorNews(before: MirrorStatus | undefined, now: MirrorStatus): readonly MirrorNews[] {
  return Object.entries(now.topics).flatMap(([topic, t]) =>
    t.partitions.flatMap((p, i) => {
      const known = before?.topics[topic]?.partitions;
      // Of thousands none is searched for while they stand in the same order.
      const was = known?.[i]?.partition === p.partition ? known[i] : known?.find((b) => b.partition === p.partition);
      const name = `${topic}-${p.partition}`;
      return p.alignsTo === undefined
        ? [...newsOf(name, was?.state ?? 'mirroring', p), ...transactionNews(name, was, p)]
        : alignmentNews(name, was, p.alignsTo, p);
    }),
  );
}

/** Told at its begin and at each further tenth. */
function alignmentNews(
  name: string,
  was: PartitionStatus | undefined,
  to: bigint,
  now: PartitionStatus,
): readonly MirrorNews[] {
  const tenth = (end: bigint) => (end * 10n) / to;
  const done = now.mirroredEndOffset;
  if (was?.alignsTo === to && tenth(was.mirroredEndOffset) === tenth(done)) return [];
  const what = `the source's log begins at ${to}: placeholders, deleted again, bring the standby's there`;
  return [{ level: 'info', message: `${name}: ${what} (${(done * 100n) / to} %)` }];
}

/** Told once, when a transaction has been open for half of the time after which the standby aborts it. */
function transactionNews(name: string, was: PartitionStatus | undefined, now: PartitionStatus): readonly MirrorNews[] {
  const open = now.openTransactions;
  if (!open?.late || was?.openTransactions?.late) return [];
  const minutes = (ms: number) => `${Math.round(ms / 60_000)} min`;
  const since = `a transaction has been open since offset ${open.firstOffset}, for ${minutes(open.ageMs)}`;
  const then = `after ${minutes(open.timeoutMs)} the standby aborts it, and the partition can't be mirrored any more`;
  return [{ level: 'warn', message: `${name}: ${since}; ${then}: end it, or raise transaction.max.timeout.ms there` }];
}

function newsOf(name: string, was: PartitionStatus['state'], now: PartitionStatus): readonly MirrorNews[] {
  if (was === now.state) return [];
  switch (now.state) {
    case 'stopped':
      if (now.stop?.reason === 'Paused') return [{ level: 'warn', message: `${name} is paused ${now.stop.detail}` }];
      return [{ level: 'error', message: `${name} is mirrored no further: ${now.stop?.reason}: ${now.stop?.detail}` }];
    case 'waiting':
      return [{ level: 'warn', message: `${name} can't be mirrored for now: ${now.trouble}; the others go on` }];
    case 'mirroring':
      return [{ level: 'info', message: `${name} is mirrored again` }];
    default:
      return now.state satisfies never;
  }
}
