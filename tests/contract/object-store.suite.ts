import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../regions/objects/object-store.ts';

export interface OpenedStore {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined) => (body === undefined ? undefined : new TextDecoder().decode(body));

/** What every object store must do: run over each adapter, against an empty store. */
export function objectStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name} as an object store`, () => {
    let opened: OpenedStore;
    let store: ObjectStore;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened?.close());

    test('a missing object is undefined, and deleting it is no error', async () => {
      expect(await store.get('missing/one')).toBeUndefined();
      expect(await store.head('missing/one')).toBeUndefined();
      expect(await store.open('missing/one')).toBeUndefined();
      await store.delete('missing/one');
    });

    test('what is put is got, opened, headed and listed with the same bytes, size and ETag', async () => {
      const body = randomBytes(70_000);
      const put = await store.put('same/a.bin', body);
      if (put.kind !== 'written') throw new Error('not written');
      const got = await store.get('same/a.bin');
      expect(Buffer.from(got?.body ?? []).equals(body)).toBe(true);
      const headed = await store.head('same/a.bin');
      const opened = await store.open('same/a.bin');
      if (headed === undefined || opened === undefined) throw new Error('missing');
      expect((await buffer(opened.body.stream)).equals(body)).toBe(true);
      const { objects } = await store.list('same/');
      for (const info of [headed, got?.info, opened.info, objects[0]]) {
        expect(info).toMatchObject({ key: 'same/a.bin', sizeBytes: 70_000, etag: put.etag });
      }
      expect(Math.abs(headed.modifiedAtMs - Date.now())).toBeLessThan(60_000);
    });

    test('an empty object is an object', async () => {
      await store.put('empty/object', new Uint8Array());
      expect((await store.get('empty/object'))?.body.length).toBe(0);
      expect((await store.head('empty/object'))?.sizeBytes).toBe(0);
    });

    test('a put replaces the object, and its ETag tells', async () => {
      const first = await store.put('replace/x', bytes('one'));
      const second = await store.put('replace/x', bytes('two'));
      expect(text((await store.get('replace/x'))?.body)).toBe('two');
      expect(first).not.toEqual(second);
    });

    test('a deleted object is gone', async () => {
      await store.put('delete/x', bytes('x'));
      await store.delete('delete/x');
      expect(await store.get('delete/x')).toBeUndefined();
      expect((await store.list('delete/')).objects).toEqual([]);
    });

    test('a streamed body of announced length is written whole', async () => {
      const body = randomBytes(3_000_000);
      const chunks = Array.from({ length: 30 }, (_, i) => body.subarray(i * 100_000, (i + 1) * 100_000));
      const stream = Readable.from(chunks, { objectMode: false });
      expect((await store.put('stream/big', { stream, sizeBytes: body.length })).kind).toBe('written');
      expect(Buffer.from((await store.get('stream/big'))?.body ?? []).equals(body)).toBe(true);
    });

    test('a streamed body that ends early or breaks writes nothing', async () => {
      const short = Readable.from([Buffer.alloc(10)], { objectMode: false });
      await expect(store.put('stream/short', { stream: short, sizeBytes: 20 })).rejects.toMatchObject({
        name: 'ArgusError',
      });
      const broken = Readable.from(
        (async function* () {
          yield Buffer.alloc(10);
          throw new Error('the source broke');
        })(),
        { objectMode: false },
      );
      await expect(store.put('stream/broken', { stream: broken, sizeBytes: 20 })).rejects.toThrow();
      expect(await store.head('stream/short')).toBeUndefined();
      expect(await store.head('stream/broken')).toBeUndefined();
    });

    test('an object streams from one key to another', async () => {
      const body = randomBytes(2_000_000);
      await store.put('pipe/from', body);
      const from = await store.open('pipe/from');
      if (from === undefined) throw new Error('missing');
      await store.put('pipe/to', from.body);
      expect(Buffer.from((await store.get('pipe/to'))?.body ?? []).equals(body)).toBe(true);
    });

    test('a copy has the bytes of its original, and replaces what was there', async () => {
      const body = randomBytes(6_000_000);
      const put = await store.put('copy/from a+b', body);
      await store.put('copy/to', bytes('before'));
      const copied = await store.copy('copy/from a+b', 'copy/to');
      expect(copied).toEqual({ sizeBytes: body.length, etag: (await store.head('copy/to'))?.etag });
      expect(put).toMatchObject({ etag: (await store.head('copy/from a+b'))?.etag });
      expect(Buffer.from((await store.get('copy/to'))?.body ?? []).equals(body)).toBe(true);
      expect(await store.copy('copy/missing', 'copy/never')).toBeUndefined();
      expect(await store.head('copy/never')).toBeUndefined();
    });

    test('ifAbsent writes once', async () => {
      expect((await store.put('absent/x', bytes('one'), { ifAbsent: true })).kind).toBe('written');
      expect(await store.put('absent/x', bytes('two'), { ifAbsent: true })).toEqual({ kind: 'conflict' });
      expect(text((await store.get('absent/x'))?.body)).toBe('one');
    });

    test('ifMatch writes over the named version only, and never a missing object', async () => {
      const first = await store.put('match/x', bytes('one'));
      if (first.kind !== 'written') throw new Error('not written');
      const second = await store.put('match/x', bytes('two'), { ifMatch: first.etag });
      expect(second.kind).toBe('written');
      expect(await store.put('match/x', bytes('three'), { ifMatch: first.etag })).toEqual({ kind: 'conflict' });
      expect(text((await store.get('match/x'))?.body)).toBe('two');
      expect(await store.put('match/missing', bytes('x'), { ifMatch: first.etag })).toEqual({ kind: 'conflict' });
      expect(await store.get('match/missing')).toBeUndefined();
    });

    test('of 32 that race to create an object exactly one wins', async () => {
      for (let round = 0; round < 3; round++) {
        const key = `race/create-${round}`;
        const racers = Array.from({ length: 32 }, (_, i) => `racer ${i}`);
        const results = await Promise.all(racers.map((r) => store.put(key, bytes(r), { ifAbsent: true })));
        const winners = racers.filter((_, i) => results[i]?.kind === 'written');
        expect(winners).toHaveLength(1);
        expect(text((await store.get(key))?.body)).toBe(winners[0]);
      }
    });

    test('of 32 that race to replace a version exactly one wins', async () => {
      for (let round = 0; round < 3; round++) {
        const key = `race/replace-${round}`;
        const before = await store.put(key, bytes('before'));
        if (before.kind !== 'written') throw new Error('not written');
        const racers = Array.from({ length: 32 }, (_, i) => `racer ${i}`);
        const results = await Promise.all(racers.map((r) => store.put(key, bytes(r), { ifMatch: before.etag })));
        const winners = racers.filter((_, i) => results[i]?.kind === 'written');
        expect(winners).toHaveLength(1);
        expect(text((await store.get(key))?.body)).toBe(winners[0]);
      }
    });

    test('a listing is ascending, complete over pages, and limited to its prefix', async () => {
      const keys = Array.from({ length: 1_005 }, (_, i) => `pages/k${String(i).padStart(5, '0')}`);
      for (let i = 0; i < keys.length; i += 50) {
        await Promise.all(keys.slice(i, i + 50).map((key) => store.put(key, bytes('x'))));
      }
      await store.put('pages-not/x', bytes('x'));
      expect((await store.list('pages/')).objects.map((o) => o.key)).toEqual(keys);
      expect((await store.list('pages/k0100')).objects).toHaveLength(5);
    });

    test('a listing with delimiter shows one level, and folders as prefixes', async () => {
      for (const key of ['tree/a', 'tree/b/one', 'tree/b/two', 'tree/c/d/e', 'tree/z'])
        await store.put(key, bytes('x'));
      const level = await store.list('tree/', { delimiter: '/' });
      expect(level.objects.map((o) => o.key)).toEqual(['tree/a', 'tree/z']);
      expect(level.prefixes).toEqual(['tree/b/', 'tree/c/']);
      expect(await store.list('nothing/', { delimiter: '/' })).toEqual({ objects: [], prefixes: [] });
    });

    test('keys with unusual characters come back as they are', async () => {
      const keys = ['odd/a b+c', 'odd/.hidden', 'odd/100%', "odd/quote'", 'odd/ümlaut', 'odd/a=b&c'].sort();
      for (const key of keys) await store.put(key, bytes(key));
      for (const key of keys) expect(text((await store.get(key))?.body)).toBe(key);
      expect((await store.list('odd/')).objects.map((o) => o.key).sort()).toEqual(keys);
    });

    test('an aborted signal ends a call with its reason', async () => {
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      await expect(store.get('x', { signal })).rejects.toBe(reason);
      await expect(store.put('x', bytes('x'), { signal })).rejects.toBe(reason);
      await expect(store.list('x', { signal })).rejects.toBe(reason);
    });
  });
}
