import type { MirrorStatus, PartitionStatus } from '../replication/topics/mirror-status.ts';

/** Something about a partition that people have to know, once. */
export interface MirrorNews {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

/** What has changed between two looks at a mirror: partitions that stopped, that wait, and that go on again. Pure. */
export function mirrorNews(before: MirrorStatus | undefined, now: MirrorStatus): readonly MirrorNews[] {
  return Object.entries(now.topics).flatMap(([topic, t]) =>
    t.partitions.flatMap((p) => {
      const was = before?.topics[topic]?.partitions.find((b) => b.partition === p.partition);
      return newsOf(`${topic}-${p.partition}`, was?.state ?? 'mirroring', p);
    }),
  );
}

function newsOf(name: string, was: PartitionStatus['state'], now: PartitionStatus): readonly MirrorNews[] {
  if (was === now.state) return [];
  switch (now.state) {
    case 'stopped':
      return [{ level: 'error', message: `${name} is mirrored no further: ${now.stop?.reason}: ${now.stop?.detail}` }];
    case 'waiting':
      return [{ level: 'warn', message: `${name} can't be mirrored for now: ${now.trouble}; the others go on` }];
    case 'mirroring':
      return [{ level: 'info', message: `${name} is mirrored again` }];
    default:
      return now.state satisfies never;
  }
}
