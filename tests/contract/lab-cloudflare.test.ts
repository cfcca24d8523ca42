import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import Cloudflare from 'cloudflare';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../lab/cloudflare/api-server.ts';
import { type DnsServer, startDnsServer } from '../../lab/cloudflare/dns-server.ts';
import { decodeMessage, encodeMessage, flags } from '../../lab/cloudflare/dns-wire.ts';
import { DnsZone } from '../../lab/cloudflare/dns-zone.ts';

const host = '127.0.0.1';
const token = 'lab-token_1';
let zone: DnsZone;
let api: ApiServer;
let dns: DnsServer;

const client = (options: { apiToken?: string; maxRetries?: number; timeout?: number } = {}) =>
  new Cloudflare({ apiToken: token, baseURL: `http://${host}:${api.port}/client/v4`, maxRetries: 0, ...options });

const faults = (body: unknown) =>
  fetch(`http://${host}:${api.port}/_faults`, { method: 'PUT', body: JSON.stringify(body) });

beforeAll(async () => {
  zone = new DnsZone('argus.test');
  api = await startApiServer(zone, token, host, 0);
  dns = await startDnsServer(zone, host, 0);
});
beforeEach(() => {
  api.faults.set([]);
  zone.batch({ deletes: zone.records().map(({ id }) => ({ id })) });
  zone.create({ type: 'A', name: 'ingest', content: '127.0.1.1', ttl: 60 });
});
afterAll(async () => {
  await Promise.all([api.close(), dns.close()]);
});

const zoneId = async () => (await client().zones.list({ name: 'argus.test' })).result[0]!.id;

describe('the official client', () => {
  it('finds the zone by name, and none for another name', async () => {
    const id = await zoneId();
    expect((await client().zones.get({ zone_id: id })).name).toBe('argus.test');
    expect((await client().zones.list({ name: 'other.test' })).result).toEqual([]);
  });

  it('creates, lists by exact name, patches, puts and deletes a record', async () => {
    const { records } = client().dns;
    const zone_id = await zoneId();
    const created = await records.create({ zone_id, type: 'A', name: 'query', content: '127.0.1.1', ttl: 60 });
    const listed = await records.list({ zone_id, name: { exact: 'query.argus.test' }, type: 'A' });
    expect(listed.result.map((r) => r.id)).toEqual([created.id]);
    const edited = await records.edit(created.id, { zone_id, type: 'A', name: 'query', ttl: 60, content: '127.0.2.1' });
    expect(edited.content).toBe('127.0.2.1');
    const put = await records.update(created.id, { zone_id, type: 'A', name: 'query', content: '127.0.3.1', ttl: 1 });
    expect(put).toMatchObject({ ttl: 1, content: '127.0.3.1' });
    await records.delete(created.id, { zone_id });
    await expect(records.get(created.id, { zone_id })).rejects.toMatchObject({
      status: 404,
      errors: [{ code: 81044 }],
    });
  });

  it('walks through the pages by itself', async () => {
    const zone_id = await zoneId();
    zone.batch({ posts: Array.from({ length: 25 }, (_, i) => ({ type: 'A', name: `n${i}`, content: '127.0.1.1' })) });
    const names: string[] = [];
    for await (const record of client().dns.records.list({ zone_id, per_page: 10 })) names.push(record.name);
    expect(new Set(names).size).toBe(26);
  });

  it('carries out a batch wholly or not at all', async () => {
    const { records } = client().dns;
    const zone_id = await zoneId();
    const [ingest] = zone.named('ingest.argus.test');
    const patches = [{ id: ingest!.id, type: 'A' as const, name: 'ingest', ttl: 60, content: '127.0.2.1' }];
    const bad = { type: 'A' as const, name: 'x', ttl: 60, content: 'no address' };
    await expect(records.batch({ zone_id, patches, posts: [bad] })).rejects.toMatchObject({ status: 400 });
    expect(zone.get(ingest!.id).content).toBe('127.0.1.1');
    const done = await records.batch({ zone_id, patches, posts: [{ ...bad, content: '127.0.9.1' }] });
    expect([done.patches?.length, done.posts?.length, zone.get(ingest!.id).content]).toEqual([1, 1, '127.0.2.1']);
  });

  it('is refused with a wrong token, and with a TTL out of bounds', async () => {
    await expect(client({ apiToken: 'wrong' }).zones.list()).rejects.toMatchObject({
      status: 403,
      errors: [{ code: 9109 }],
    });
    const short = { zone_id: await zoneId(), type: 'A' as const, name: 'short', content: '127.0.1.1', ttl: 5 };
    await expect(client().dns.records.create(short)).rejects.toMatchObject({ status: 400, errors: [{ code: 9021 }] });
    expect((await fetch(`http://${host}:${api.port}/client/v4/zones`)).status).toBe(400);
  });

  it('meets the faults that were asked for, as many times as asked', async () => {
    await faults({ status: 429, retryAfter: 7, count: 2 });
    for (let i = 0; i < 2; i++) await expect(client().zones.list()).rejects.toMatchObject({ status: 429 });
    await expect(client().zones.list()).resolves.toBeDefined();
    await faults([{ hang: true }, { reset: true }]);
    await expect(client({ timeout: 200 }).zones.list()).rejects.toBeInstanceOf(Cloudflare.APIConnectionTimeoutError);
    await expect(client().zones.list()).rejects.toBeInstanceOf(Cloudflare.APIConnectionError);
    await expect(client().zones.list()).resolves.toBeDefined();
  });

  it('may see a change carried out whose answer never came', async () => {
    const zone_id = await zoneId();
    const [ingest] = zone.named('ingest.argus.test');
    await faults({ reset: true, afterEffect: true, method: 'PATCH' });
    const change = { zone_id, type: 'A' as const, name: 'ingest', ttl: 60, content: '127.0.2.1' };
    await expect(client().dns.records.edit(ingest!.id, change)).rejects.toBeInstanceOf(Cloudflare.APIConnectionError);
    expect(zone.get(ingest!.id).content).toBe('127.0.2.1');
  });

  it('gets through single failures by its own retries', async () => {
    await faults({ status: 503, retryAfter: 0, count: 2 });
    await expect(client({ maxRetries: 2 }).zones.list()).resolves.toBeDefined();
  });

  it('is told when a fault makes no sense', async () => {
    expect((await faults({ status: 200 })).status).toBe(400);
  });
});

describe('the DNS server', () => {
  it('shows a change at once, over UDP', async () => {
    const resolver = new Resolver({ timeout: 1_000, tries: 1 });
    resolver.setServers([`${host}:${dns.port}`]);
    expect(await resolver.resolve4('ingest.argus.test', { ttl: true })).toEqual([{ address: '127.0.1.1', ttl: 60 }]);
    zone.patch(zone.named('ingest.argus.test')[0]!.id, { content: '127.0.2.1' });
    expect(await resolver.resolve4('ingest.argus.test')).toEqual(['127.0.2.1']);
    await expect(resolver.resolve4('gone.argus.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('cuts an answer that is too long for UDP, marks it, and gives it whole over TCP', async () => {
    zone.batch({ posts: Array.from({ length: 60 }, (_, i) => ({ type: 'A', name: 'many', content: `127.0.8.${i}` })) });
    const query = encodeMessage({ id: 3, type: 'query', questions: [{ name: 'many.argus.test', type: 'A' }] });
    const udp = createSocket('udp4');
    udp.send(query, dns.port, host);
    const [short] = (await once(udp, 'message')) as [Buffer];
    udp.close();
    expect(decodeMessage(short).answers).toEqual([]);
    expect((decodeMessage(short).flags ?? 0) & flags.truncated).not.toBe(0);

    const tcp = connect(dns.port, host);
    tcp.write(Buffer.concat([Buffer.from([0, query.length]), query]));
    let reply = Buffer.alloc(0);
    for await (const chunk of tcp as AsyncIterable<Buffer>) {
      reply = Buffer.concat([reply, chunk]);
      if (reply.length >= 2 + reply.readUInt16BE(0)) break;
    }
    expect(decodeMessage(reply.subarray(2)).answers).toHaveLength(60);
  });

  it('outlives bytes that are no query', async () => {
    const udp = createSocket('udp4');
    udp.send(Buffer.from([1, 2, 3]), dns.port, host);
    udp.send(encodeMessage({ id: 4, type: 'query', questions: [{ name: 'argus.test', type: 'SOA' }] }), dns.port, host);
    const [reply] = (await once(udp, 'message')) as [Buffer];
    udp.close();
    expect(decodeMessage(reply).id).toBe(4);
  });
});
