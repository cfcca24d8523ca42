import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type S3ObjectStoreOptions, s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { verifyCheckpoints } from '../../replication/checkpoints/verify.ts';
import { putFullSample } from '../support/checkpoint-bucket.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';

const PART = 5 << 20;
const clock = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => {} };
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const streamOf = (bytes: Uint8Array, pieceBytes = 70_000) => {
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) =>
    bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes),
  );
  return { stream: Readable.from(pieces, { objectMode: false }), sizeBytes: bytes.length };
};

describe('at versitygw', () => {
  let server: ObjectServer;
  let store: ReturnType<typeof s3ObjectStore>;
  beforeAll(async () => {
    server = await startObjectServer({ buckets: ['bucket'] });
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const access = { endpoint, accessKeyId, secretAccessKey, region: 'us-east-1', bucket: 'bucket', pathStyle: true };
    store = s3ObjectStore({ ...access, multipartAboveBytes: PART });
  });
  afterAll(async () => {
    await store?.close();
    await server?.stop();
  });
  const aborted = () => server.accessLog().filter((line) => line.includes('s3_AbortMultipartUpload')).length;

  test('a large body goes in equal parts, and the ETag is the one that any client gets for them', async () => {
    const body = randomBytes(3 * PART + 123);
    const put = await store.put('large', streamOf(body), { partBytes: PART });
    const parts = [0, 1, 2, 3].map((i) => body.subarray(i * PART, (i + 1) * PART));
    const digests = Buffer.concat(parts.map((part) => createHash('md5').update(part).digest()));
    expect(put).toEqual({ kind: 'written', etag: `${md5(digests)}-4` });
    expect((await store.get('large'))?.body.length).toBe(body.length);
    expect(sha256((await store.get('large'))?.body ?? new Uint8Array())).toBe(sha256(body));
  });

  test('a large body that ends early or goes on too long leaves nothing', async () => {
    const body = randomBytes(2 * PART);
    for (const sizeBytes of [body.length + 1, body.length - 1]) {
      await expect(store.put('wrong', { ...streamOf(body), sizeBytes })).rejects.toMatchObject({
        code: 'ObjectStoreFailed',
        retryable: true,
      });
    }
    expect(await store.head('wrong')).toBeUndefined();
    expect(aborted()).toBe(2);
  });

  test('an aborted upload in parts ends with the reason', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const endless = Readable.from(
      (async function* () {
        for (let i = 0; ; i++) {
          if (i === 100) stop.abort(reason);
          yield Buffer.alloc(70_000);
        }
      })(),
      { objectMode: false },
    );
    const put = store.put('endless', { stream: endless, sizeBytes: 1 << 30 }, { signal: stop.signal });
    await expect(put).rejects.toBe(reason);
    expect(endless.destroyed).toBe(true);
    expect(await store.head('endless')).toBeUndefined();
  });

  test('a streamed body is compared with the MD5 that it should have', async () => {
    const body = randomBytes(300_000);
    expect((await store.put('same', streamOf(body), { md5: md5(body) })).kind).toBe('written');
    await expect(store.put('other', streamOf(body), { md5: md5(randomBytes(3)) })).rejects.toMatchObject({
      code: 'ObjectDigestDiffers',
    });
    expect(await store.head('other')).toBeUndefined();
  });

  test('a streamed body that is refused before all of it came says why', async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const access = { endpoint, accessKeyId, secretAccessKey, region: 'us-east-1', bucket: 'bucket', pathStyle: true };
    const wrong: [string, Partial<S3ObjectStoreOptions>][] = [
      ['ObjectStoreDenied', { secretAccessKey: 'wrong' }],
      ['ObjectStoreDenied', { accessKeyId: 'nobody' }],
      ['BucketMissing', { bucket: 'no-such-bucket' }],
    ];
    for (const [code, more] of wrong) {
      const refused = s3ObjectStore({ ...access, ...more });
      for (let i = 0; i < 3; i++) {
        const body = streamOf(Buffer.alloc(4 << 20));
        await expect(refused.put('x', body)).rejects.toMatchObject({ code });
        expect(body.stream.destroyed).toBe(true);
      }
      await refused.close();
    }
  });

  test('bytes that are not those of the signed SHA-256 are refused', async () => {
    const body = randomBytes(1_000);
    expect((await store.put('signed', body, { sha256: sha256(body) })).kind).toBe('written');
    await expect(store.put('not-signed', body, { sha256: sha256(randomBytes(3)) })).rejects.toThrow();
    expect(await store.head('not-signed')).toBeUndefined();
  });
});

describe('two buckets of one account', () => {
  let server: ObjectServer;
  const opened: ObjectStore[] = [];
  const open = (bucket: string, more: Partial<S3ObjectStoreOptions> = {}) => {
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const access = { endpoint, accessKeyId, secretAccessKey, region: 'us-east-1', bucket, pathStyle: true, ...more };
    const store = s3ObjectStore(access);
    opened.push(store);
    return store;
  };
  beforeAll(async () => {
    server = await startObjectServer({ buckets: ['flink-primary', 'standby'] });
  });
  afterAll(async () => {
    for (const store of opened) await store.close();
    await server?.stop();
  });

  test('the server copies from one to the other, also below prefixes and in parts', async () => {
    const [source, target] = [
      open('flink-primary', { prefix: 'a/b' }),
      open('standby', { prefix: 'c', copyPartBytes: PART }),
    ];
    for (const body of [randomBytes(1_000), randomBytes(2 * PART + 1)]) {
      await source.put('from a+b', body);
      const copied = await target.copy('from a+b', 'to', { of: source });
      expect(copied).toEqual({ sizeBytes: body.length, etag: (await target.head('to'))?.etag });
      expect(sha256((await target.get('to'))?.body ?? new Uint8Array())).toBe(sha256(body));
    }
    expect(await target.copy('missing', 'to', { of: source })).toBeUndefined();
  });

  test('a checkpoint is copied by the server, and its files are proven by their ETags', async () => {
    const [source, target] = [open('flink-primary'), open('standby')];
    expect(source.account).toBe(target.account);
    expect(open('standby', { accessKeyId: 'other' }).account).not.toBe(source.account);
    const keys = await putFullSample(source);
    const asked = server.accessLog().length;
    const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
    const { replicated, refused } = await sync.step();
    expect(refused).toEqual([]);
    const lines = server.accessLog().slice(asked);
    expect(lines.filter((line) => line.includes('s3_CopyObject'))).toHaveLength(keys.length);
    expect(lines.filter((line) => line.includes('s3_GetObject') && line.includes('/shared/'))).toEqual([]);
    if (replicated === undefined) throw new Error('nothing was replicated');
    expect(replicated.files.map((file) => file.checksum)).toEqual(keys.map(() => undefined));
    const { checkpoints } = await verifyCheckpoints({ store: target, manifests: [replicated] });
    expect(checkpoints).toMatchObject([{ state: 'same', unprovenFiles: 0, differences: [] }]);
  });
});

describe('at a server that answers as it likes', () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });
  async function storeAt(
    answer: (request: IncomingMessage, response: ServerResponse, nth: number) => void,
    more: Partial<S3ObjectStoreOptions> = {},
  ) {
    let requests = 0;
    server = createServer((request, response) => answer(request, response, ++requests)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const store = s3ObjectStore({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      accessKeyId: 'a',
      secretAccessKey: 'b',
      region: 'auto',
      bucket: 'bucket',
      pathStyle: true,
      ...more,
    });
    return { store, requests: () => requests };
  }
  const refuse = (response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}) => {
    response.writeHead(status, headers);
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
  };

  test.each([500, 503])('%i is answered with another attempt, thrice at most', async (status) => {
    const passing = await storeAt((_request, response, nth) => {
      if (nth < 3) refuse(response, status, 'SlowDown');
      else response.writeHead(200, { etag: '"e"' }).end('body');
    });
    expect((await passing.store.get('x'))?.info.etag).toBe('e');
    server?.close();
    const lasting = await storeAt((_request, response) => refuse(response, status, 'SlowDown'));
    await expect(lasting.store.put('x', new Uint8Array(3))).rejects.toMatchObject({ retryable: true });
    expect(lasting.requests()).toBe(3);
  });

  test('a refusal is not asked again, and a conditional write is sent once', async () => {
    const denied = await storeAt((_request, response) => refuse(response, 403, 'AccessDenied'));
    await expect(denied.store.get('x')).rejects.toMatchObject({ code: 'ObjectStoreDenied' });
    expect(denied.requests()).toBe(1);
    server?.close();
    const busy = await storeAt((_request, response) => refuse(response, 503, 'SlowDown'));
    await expect(busy.store.put('x', new Uint8Array(3), { ifAbsent: true })).rejects.toMatchObject({ retryable: true });
    expect(busy.requests()).toBe(1);
  });

  test('clocks that differ are named, with by how much', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const { store } = await storeAt((_request, response) => refuse(response, 403, 'RequestTimeTooSkewed', { date }));
    await expect(store.get('x')).rejects.toMatchObject({
      code: 'ObjectStoreDenied',
      message: expect.stringMatching(/differ by 3(599|600|601) s: this one is behind/),
      hint: expect.stringContaining('clock'),
    });
  });

  test('a redirect names where the bucket is', async () => {
    const { store } = await storeAt((_request, response) =>
      refuse(response, 301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-central-1' }),
    );
    await expect(store.get('x')).rejects.toMatchObject({
      message: expect.stringContaining('eu-central-1'),
      hint: expect.stringContaining('objects.endpoint'),
    });
  });

  test('a body that is cut off is no object', async () => {
    const { store, requests } = await storeAt((_request, response) => {
      response.writeHead(200, { 'content-length': '100', etag: '"e"' });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(store.get('x')).rejects.toMatchObject({ code: 'ObjectStoreUnreachable' });
    expect(requests()).toBe(3);
    const opened = await store.open('x');
    await expect(opened?.body.stream.toArray()).rejects.toMatchObject({ name: 'ArgusError' });
  });

  test('a part is sent again, and a completion that fails after its success is a failure', async () => {
    const parts: string[] = [];
    const { store } = await storeAt(
      (request, response) => {
        request.resume();
        request.on('end', () => {
          const url = new URL(request.url ?? '', 'http://x');
          const number = url.searchParams.get('partNumber');
          if (url.searchParams.has('uploads')) response.end('<UploadId>a&amp;b</UploadId>');
          else if (number !== null) {
            parts.push(number);
            if (number === '1' && parts.filter((n) => n === '1').length < 2) refuse(response, 500, 'InternalError');
            else response.writeHead(200, { etag: `"${number}"` }).end();
          } else if (request.method === 'POST') {
            expect(url.searchParams.get('uploadId')).toBe('a&b');
            response.end('<Error><Code>InternalError</Code></Error>');
          } else response.writeHead(204).end();
        });
      },
      { multipartAboveBytes: PART },
    );
    const put = store.put('x', streamOf(Buffer.alloc(PART + 1)), { partBytes: PART });
    await expect(put).rejects.toMatchObject({ code: 'ObjectStoreFailed', retryable: true });
    expect(parts.sort()).toEqual(['1', '1', '2']);
  });
});
