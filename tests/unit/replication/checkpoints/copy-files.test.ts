import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore, PutOptions } from '../../../../regions/objects/object-store.ts';
import { checksumOf, checksumOfPassing } from '../../../../replication/checkpoints/checksums.ts';
import { copyFile, type KnownFiles, type PlannedFile } from '../../../../replication/checkpoints/copy-files.ts';
import { copyPace, pacedStream } from '../../../../replication/checkpoints/copy-pace.ts';

const SMALL = new Uint8Array(1_000).map((_, i) => i * 7);
const LARGE = new Uint8Array((1 << 20) + 5).map((_, i) => i * 13);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const fileOf = (bytes: Uint8Array, more: Partial<PlannedFile> = {}): PlannedFile => ({
  sourceKey: 'from',
  targetKey: 'to',
  sizeBytes: bytes.length,
  sizeRule: 'exact',
  missing: true,
  ...more,
});

/** A source that holds the bytes, and a target each put of which is answered by `fault` first. */
async function stores(bytes: Uint8Array, fault: (nth: number, options: PutOptions) => void = () => undefined) {
  const source = memoryObjectStore('source');
  await source.put('from', bytes);
  const inner = memoryObjectStore('target');
  const puts: PutOptions[] = [];
  const target: ObjectStore = {
    ...inner,
    async put(key, body, options = {}) {
      puts.push(options);
      fault(puts.length, options);
      return inner.put(key, body, options);
    },
  };
  const known: KnownFiles = new Map();
  return { source, target, known, puts };
}

const fails = (code: string, retryable: boolean) => () => {
  throw new ArgusError(code, 'no', { retryable });
};

describe('a copy', () => {
  test.each([
    ['small', SMALL],
    ['large', LARGE],
  ])('of a %s file has its bytes, and is known with their checksum', async (_name, bytes) => {
    const parts = await stores(bytes);
    let told = 0;
    expect(await copyFile(fileOf(bytes), parts, (n) => (told += n))).toBe(bytes.length);
    expect(told).toBe(bytes.length);
    expect((await parts.target.get('to'))?.body).toEqual(bytes);
    const checksum = { sha256: sha256(bytes), sizeBytes: bytes.length };
    expect(parts.known.get('to')).toMatchObject({ sizeBytes: bytes.length, checksum });
  });

  test('of a small file is signed, that of a large one compared with the MD5 of its source', async () => {
    const small = await stores(SMALL);
    await copyFile(fileOf(SMALL), small);
    expect(small.puts).toEqual([{ sha256: sha256(SMALL) }]);
    const large = await stores(LARGE);
    await copyFile(fileOf(LARGE), large);
    expect(large.puts).toEqual([{ md5: createHash('md5').update(LARGE).digest('hex') }]);
  });

  test('of a file that was sent in parts is sent in such parts', async () => {
    const { source, ...parts } = await stores(LARGE);
    const inParts: ObjectStore = {
      ...source,
      async open(key, options) {
        const found = await source.open(key, options);
        const info = { key, sizeBytes: 3 * (8 << 20), etag: `${'e'.repeat(32)}-3`, modifiedAtMs: 0 };
        return found && { body: found.body, info };
      },
    };
    await copyFile(fileOf(LARGE), { source: inParts, ...parts });
    expect(parts.puts).toEqual([{ partBytes: 8 << 20 }]);
  });

  test('is tried again when the store may answer better, and its bytes count once', async () => {
    const parts = await stores(LARGE, (nth) => nth < 3 && fails('ObjectStoreUnreachable', true)());
    let told = 0;
    await copyFile(fileOf(LARGE), parts, (n) => (told += n));
    expect(parts.puts).toHaveLength(3);
    expect(told).toBe(LARGE.length);
    const never = await stores(LARGE, fails('ObjectStoreDenied', false));
    await expect(copyFile(fileOf(LARGE), never)).rejects.toMatchObject({ code: 'ObjectStoreDenied' });
    expect(never.puts).toHaveLength(1);
    expect(never.known.size).toBe(0);
  });

  test('of a source whose ETag is no MD5 is read back', async () => {
    const parts = await stores(LARGE, (_, { md5 }) => md5 !== undefined && fails('ObjectDigestDiffers', true)());
    await copyFile(fileOf(LARGE), parts);
    expect(parts.puts.map((put) => 'md5' in put)).toEqual([true, false]);
    expect(parts.known.get('to')?.checksum?.sha256).toBe(sha256(LARGE));
  });

  test('that arrives otherwise than it was sent is an error, and not known', async () => {
    const { target, ...parts } = await stores(LARGE, (_, { md5 }) => {
      if (md5 !== undefined) fails('ObjectDigestDiffers', true)();
    });
    const damaging: ObjectStore = {
      ...target,
      async put(key, body, options) {
        const put = await target.put(key, body, options);
        await target.put(key, new Uint8Array(LARGE.length), {});
        return put;
      },
    };
    await expect(copyFile(fileOf(LARGE), { ...parts, target: damaging })).rejects.toMatchObject({
      code: 'ObjectStoreFailed',
    });
    expect(parts.known.size).toBe(0);
  });

  test.each([
    { bytes: SMALL, rule: 'exact' as const, planned: SMALL.length + 1 },
    { bytes: LARGE, rule: 'exact' as const, planned: LARGE.length + 1 },
    { bytes: SMALL, rule: 'atLeast' as const, planned: SMALL.length + 1 },
  ])('of a file that is not $planned bytes ($rule) is refused before anything is written', async (the) => {
    const parts = await stores(the.bytes);
    const file = fileOf(the.bytes, { sizeBytes: the.planned, sizeRule: the.rule });
    await expect(copyFile(file, parts)).rejects.toMatchObject({ code: 'FileSizeDiffersAtSource' });
    expect(parts.puts).toEqual([]);
  });

  test('of a file that may grow takes what is there', async () => {
    const parts = await stores(LARGE);
    expect(await copyFile(fileOf(LARGE, { sizeBytes: 10, sizeRule: 'atLeast' }), parts)).toBe(LARGE.length);
  });

  test('between stores of one account is the server’s, without a checksum', async () => {
    const { source, target, known, puts } = await stores(SMALL);
    const asked: string[] = [];
    const its: ObjectStore = {
      ...target,
      account: 'here as me',
      async copy(from, to, options) {
        asked.push(`${options?.of?.uri} ${from} ${to}`);
        return from === 'from' ? { sizeBytes: SMALL.length, etag: 'e' } : undefined;
      },
    };
    const parts = { source: { ...source, account: 'here as me' }, target: its, known };
    expect(await copyFile(fileOf(SMALL), parts)).toBe(SMALL.length);
    expect(known.get('to')).toEqual({ sizeBytes: SMALL.length, etag: 'e' });
    expect({ asked, puts }).toEqual({ asked: ['memory:source from to'], puts: [] });
    await expect(copyFile(fileOf(SMALL, { sourceKey: 'gone' }), parts)).rejects.toMatchObject({ key: 'gone' });
    const longer = fileOf(SMALL, { targetKey: 'longer', sizeBytes: SMALL.length + 1 });
    await expect(copyFile(longer, parts)).rejects.toMatchObject({ code: 'FileSizeDiffersAtSource' });
    expect(known.has('longer')).toBe(false);
    await copyFile(fileOf(SMALL), { ...parts, source: { ...source, account: 'here as you' } });
    expect(puts).toHaveLength(1);
  });

  test('of a file that is gone says which', async () => {
    const parts = await stores(SMALL);
    await expect(copyFile(fileOf(SMALL, { sourceKey: 'gone' }), parts)).rejects.toMatchObject({ key: 'gone' });
    const large = fileOf(LARGE, { sourceKey: 'gone' });
    await expect(copyFile(large, parts)).rejects.toMatchObject({ key: 'gone' });
  });
});

describe('a pace', () => {
  /** A clock that moves only while somebody sleeps. */
  function steppedClock() {
    let now = 0;
    return {
      monotonic: () => now,
      async sleep(ms: number, signal?: AbortSignal) {
        signal?.throwIfAborted();
        now += ms;
      },
    };
  }

  test('is kept by all who share it together', async () => {
    const clock = steppedClock();
    const pace = copyPace(1_000_000, clock);
    await Promise.all(Array.from({ length: 100 }, () => pace.pass(100_000)));
    // 10 MB at 1 MB a second; a quarter of a second's worth comes at once, and the last bytes may be owed.
    expect(clock.monotonic()).toBeGreaterThan(9_400);
    expect(clock.monotonic()).toBeLessThanOrEqual(10_000);
  });

  test('lets through in order, and one that is given up holds nobody up', async () => {
    const pace = copyPace(1_000, steppedClock());
    const order: number[] = [];
    const stop = AbortSignal.abort(new Error('given up'));
    const passes = [1, 2, 3].map((n) => pace.pass(500, n === 2 ? stop : undefined).then(() => order.push(n)));
    await expect(passes[1]).rejects.toThrow('given up');
    await Promise.all([passes[0], passes[2]]);
    expect(order).toEqual([1, 3]);
  });

  test('holds back a stream, and its bytes stay the same', async () => {
    const clock = steppedClock();
    const pace = copyPace(1 << 20, clock);
    const pieces = Array.from({ length: 17 }, (_, i) => LARGE.subarray(i * 65_536, (i + 1) * 65_536));
    const through = Readable.from(pieces, { objectMode: false }).pipe(pacedStream(pace, undefined));
    expect(await buffer(through)).toEqual(Buffer.from(LARGE));
    expect(clock.monotonic()).toBeGreaterThan(600);
  });

  test('holds back copies', async () => {
    for (const bytes of [SMALL, LARGE]) {
      const clock = steppedClock();
      const pace = copyPace(bytes.length, clock);
      for (let i = 0; i < 3; i++) await copyFile(fileOf(bytes), { ...(await stores(bytes)), pace });
      expect(clock.monotonic()).toBeGreaterThan(1_500);
    }
  });
});

test('the checksum of what passes is that of the bytes, however somebody reads them', async () => {
  const pieces = () => Readable.from([LARGE.subarray(0, 70_000), LARGE.subarray(70_000)], { objectMode: false });
  const readers: Record<string, (stream: Readable) => Promise<Buffer>> = {
    iterated: buffer,
    flowing: (stream) =>
      new Promise((resolve) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => resolve(Buffer.concat(chunks)));
        stream.resume();
      }),
  };
  for (const read of Object.values(readers)) {
    const stream = pieces();
    const checksum = checksumOfPassing(stream, () => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await read(stream)).toEqual(Buffer.from(LARGE));
    expect(checksum()).toEqual(checksumOf(LARGE));
  }
});
