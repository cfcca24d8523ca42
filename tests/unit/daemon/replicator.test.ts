import { describe, expect, it } from 'vitest';
import { type MirrorHandle, type ReplicatorParts, replicator, type Stopped } from '../../../daemon/replicator.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import type { PartitionOffset } from '../../../domain/offsets.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

const direction = { source: 'mumbai', target: 'singapore', rolesEpoch: 1 };
const at = (topic: string, offset: bigint): PartitionOffset => ({ topic, partition: 0, offset });

/** A mirror that does what the test says, and notes what is asked of it. */
function fakeMirror(freeze: () => Promise<Stopped>) {
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined);
  const asked: string[] = [];
  const handle: MirrorHandle = {
    ended: ended.promise,
    follow: () => undefined,
    freeze: async () => {
      asked.push('freeze');
      try {
        return await freeze();
      } finally {
        ended.resolve();
      }
    },
    stop: async () => {
      asked.push('stop');
      ended.resolve();
    },
  };
  return { handle, asked, crash: () => ended.reject(new Error('killed')) };
}

function started(options: Partial<ReplicatorParts> & { freeze?: () => Promise<Stopped> } = {}) {
  const mirrors: ReturnType<typeof fakeMirror>[] = [];
  const loops: string[] = [];
  const parts: ReplicatorParts = {
    clock: wallClock,
    log: quietLog(),
    openMirror: async () => {
      const mirror = fakeMirror(options.freeze ?? (async () => ({ drained: true, endOffsets: [at('events', 7n)] })));
      mirrors.push(mirror);
      return mirror.handle;
    },
    loops: [
      {
        name: 'copy',
        run: async (_direction, signal) => {
          loops.push('begin');
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          loops.push('end');
        },
      },
    ],
    standbyEnds: async () => [at('events', 5n)],
    ...options,
  };
  const subject = replicator(parts);
  subject.start(direction);
  return { subject, mirrors, loops };
}

describe('the replicator', () => {
  it('starts the mirror and the loops beside it, and stops all of them', async () => {
    const { subject, mirrors, loops } = started();
    await expect.poll(() => mirrors.length).toBe(1);
    expect(subject.running).toEqual(direction);
    await subject.stop();
    expect(subject.running).toBeUndefined();
    expect(mirrors[0]?.asked).toContain('stop');
    expect(loops).toEqual(['begin', 'end']);
  });

  it('starts a mirror that crashed again, and leaves the other loops alone', async () => {
    const { subject, mirrors, loops } = started();
    await expect.poll(() => mirrors.length).toBe(1);
    mirrors[0]?.crash();
    await expect.poll(() => mirrors.length, { timeout: 3_000 }).toBe(2);
    expect(loops).toEqual(['begin']);
    await subject.stop();
  });

  const unproven = async (): Promise<Stopped> => {
    throw new Error('no proof');
  };
  const undrained = async (): Promise<Stopped> => ({ drained: false, endOffsets: [at('events', 7n)] });
  const drained = async (): Promise<Stopped> => ({ drained: true, endOffsets: [at('events', 7n)] });
  it.each([
    ['gives what the mirror vouches for', undrained, false, { drained: false, endOffsets: [at('events', 7n)] }],
    ['vouches for nothing when the mirror does not', unproven, false, undefined],
    ['vouches for nothing shortly after a crash', undrained, true, undefined],
    ['believes a drained mirror also after a crash', drained, true, { drained: true, endOffsets: [at('events', 7n)] }],
  ])('freezes: %s', async (_rule, freeze, crashed, expected) => {
    const { subject, mirrors, loops } = started({ freeze });
    await expect.poll(() => mirrors.length).toBe(1);
    if (crashed) {
      mirrors[0]?.crash();
      await expect.poll(() => mirrors.length, { timeout: 3_000 }).toBe(2);
    }
    expect(await subject.freeze(direction, 100)).toEqual(expected);
    expect(loops).toEqual(['begin', 'end']);
    expect(subject.running).toBeUndefined();
    expect(mirrors).toHaveLength(crashed ? 2 : 1);
  });

  it('freezes where no mirror is at work: what the standby holds is all there is', async () => {
    const never = new Promise<MirrorHandle>(() => undefined);
    const openMirror = (_direction: unknown, signal: AbortSignal) =>
      Promise.race([
        never,
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ]);
    const { subject } = started({ openMirror });
    expect(await subject.freeze(direction, 100)).toEqual({ drained: false, endOffsets: [at('events', 5n)] });
  });

  it('names also the ends of topics that are not mirrored, and vouches for nothing when they can`t be read', async () => {
    const both = started({ standbyEnds: async () => [at('events', 5n), at('refused', 3n)] });
    await expect.poll(() => both.mirrors.length).toBe(1);
    const ends = [at('events', 7n), at('refused', 3n)];
    expect(await both.subject.freeze(direction, 100)).toEqual({ drained: true, endOffsets: ends });
    const dark = started({ standbyEnds: () => Promise.reject(new Error('dark')) });
    await expect.poll(() => dark.mirrors.length).toBe(1);
    expect(await dark.subject.freeze(direction, 100)).toBeUndefined();
  });

  it('does not wait for ever for a loop that hangs in a dead region', async () => {
    const hangs = { name: 'hangs', run: () => new Promise<void>(() => undefined) };
    const { subject, mirrors } = started({ loops: [hangs], clock: virtualClock() });
    await expect.poll(() => mirrors.length).toBe(1);
    expect(await subject.freeze(direction, 100)).toMatchObject({ drained: true });
  });

  it('stops what writes to the source before a mirror that is to drain reaches its end', async () => {
    const seen: string[][] = [];
    const made: ReturnType<typeof started>[] = [];
    const freeze = async () => {
      seen.push([...(made[0]?.loops ?? [])]);
      return { drained: true, endOffsets: [at('events', 7n)] };
    };
    made.push(started({ freeze }));
    await expect.poll(() => made[0]?.mirrors.length).toBe(1);
    await made[0]?.subject.freeze(direction, 100);
    expect(seen).toEqual([['begin', 'end']]);
  });

  it('goes on after a freeze was lifted', async () => {
    const { subject, mirrors } = started();
    await expect.poll(() => mirrors.length).toBe(1);
    await subject.freeze(direction, 100);
    subject.start(direction);
    await expect.poll(() => mirrors.length).toBe(2);
    await subject.stop();
  });
});
