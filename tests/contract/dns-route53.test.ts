import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { route53Records } from '../../regions/dns/route53-records.ts';
import { flipOf } from '../../runbooks/failover/flip.ts';
import { startRoute53 } from '../support/route53-server.ts';

const name = 'ingest.example.com';
const addresses = { primary: '203.0.113.10', standby: '203.0.113.20' };
const set = { type: 'A', ttl: 60, values: [addresses.primary] };
let server: Awaited<ReturnType<typeof startRoute53>>;

beforeEach(async () => {
  server = await startRoute53('Z123', [
    { ...set, name: 'alias.example.com.', aliasOf: 'lb.example.net.', values: [] },
    { ...set, name: `${name}.` },
    { ...set, name: `${name}.`, type: 'AAAA', values: ['2001:db8::1'] },
    { ...set, name: 'weighted.example.com.', setIdentifier: 'blue' },
  ]);
});
afterEach(() => server.close());

const records = (over: { readonly hostedZoneId?: string; readonly id?: string; readonly deadlineMs?: number } = {}) =>
  route53Records({
    zone: 'example.com',
    hostedZoneId: over.hostedZoneId ?? 'Z123',
    credentials: { accessKeyId: over.id ?? 'id', secretAccessKey: 'secret' },
    endpoint: server.endpoint,
    ...(over.deadlineMs === undefined ? {} : { deadlineMs: over.deadlineMs }),
  });

describe('a record set of Route 53', () => {
  test('is found by name and type', async () => {
    expect(await records().find('INGEST.example.com', 'A')).toMatchObject([
      { name, type: 'A', content: addresses.primary, ttlSeconds: 60, proxied: false },
    ]);
    expect(await records().find('nobody.example.com', 'A')).toEqual([]);
  });

  test('is changed by one UPSERT that keeps its TTL, and its way to the name servers holds nothing up', async () => {
    const [before] = await records().find(name, 'A');
    const after = await records().setContent(before!.id, addresses.standby);
    expect(after.content).toBe(addresses.standby);
    expect(server.upserts).toEqual([{ name: `${name}.`, type: 'A', ttl: 60, values: [addresses.standby] }]);
    expect(server.sets().find((s) => s.type === 'AAAA')?.values).toEqual(['2001:db8::1']);
    expect(flipOf(name, await records().find(name, 'A'), addresses)).toEqual({ kind: 'already' });
  });

  test.each([
    ['an alias', 'alias.example.com', /holds alias lb.example.net/],
    ['one with a routing policy', 'weighted.example.com', /has a routing policy/],
  ])('%s is shown, and not moved', async (_, other, why) => {
    const found = await records().find(other, 'A');
    const flip = flipOf(other, found, addresses);
    expect(flip).toMatchObject({ kind: 'impossible' });
    expect(flip.kind === 'impossible' && flip.why).toMatch(why);
    await expect(records().setContent(found[0]!.id, addresses.standby)).rejects.toMatchObject({ code: 'DnsFailed' });
    expect(server.upserts).toEqual([]);
  });
});

describe('faults', () => {
  test('gets through throttling and a failure of the server', async () => {
    server.faults.push({ status: 400, code: 'Throttling' }, { status: 500, code: 'InternalFailure' });
    expect(await records().find(name, 'A')).toHaveLength(1);
    const [before] = await records().find(name, 'A');
    server.faults.push({ status: 400, code: 'PriorRequestNotComplete' });
    await records().setContent(before!.id, addresses.standby);
    expect(server.sets().find((s) => s.type === 'A' && s.name === `${name}.`)?.values).toEqual([addresses.standby]);
  });

  test('ends by its deadline when nothing answers', async () => {
    server.faults.push('hang');
    await expect(records({ deadlineMs: 300 }).find(name, 'A')).rejects.toMatchObject({ code: 'DnsUnreachable' });
  });

  test('tells credentials and zones that are wrong apart', async () => {
    await expect(records({ id: 'wrong' }).find(name, 'A')).rejects.toMatchObject({ code: 'DnsDenied', exitCode: 2 });
    await expect(records({ hostedZoneId: 'Z9' }).find(name, 'A')).rejects.toMatchObject({ code: 'DnsZoneMissing' });
  });
});
