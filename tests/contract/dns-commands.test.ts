import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../../lab/cloudflare/api-server.ts';
import { type DnsServer, startDnsServer } from '../../lab/cloudflare/dns-server.ts';
import { DnsZone } from '../../lab/cloudflare/dns-zone.ts';
import { Balancers } from '../../lab/cloudflare/load-balancers.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { writeDnsBefore } from '../../state/dns-before.ts';

const host = '127.0.0.1';
const addresses = { mumbai: '127.0.1.1', singapore: '127.0.2.1' };
const run = '20261121T103000Z-failover-1a2b';
const zone = new DnsZone('argus.test');
const balancers = new Balancers();
let api: ApiServer;
let dns: DnsServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-dns-'));
  zone.balanced = (n) => balancers.addressesOf(n);
  zone.create({ type: 'A', name: 'ingest', content: addresses.mumbai, ttl: 60 });
  zone.create({ type: 'A', name: 'mail', content: '127.0.7.7', ttl: 60 });
  const pools = Object.entries(addresses).map(([region, address]) => balancers.addPool(region, address).id ?? '');
  balancers.addBalancer('query.argus.test', { default_pools: pools, fallback_pool: pools[0]!, ttl: 60 });
  api = await startApiServer(zone, 't0ken', host, 0, balancers);
  dns = await startDnsServer(zone, host, 0);
  const region = (address: string) => `
    address: ${address}
    kafka: { bootstrap: ["${host}:9"] }
    objects: { endpoint: "http://${address}:9", bucket: checkpoints, accessKeyId: env:ID, secretAccessKey: env:ID }
    flink: { rest: "http://${address}:9" }`;
  await writeFile(
    join(folder, 'argus.yaml'),
    `regions:
  mumbai:${region(addresses.mumbai)}
  singapore:${region(addresses.singapore)}
roles: { primary: mumbai, standby: singapore }
topics: [events]
jobs:
  - name: counts
    checkpoints: { prefix: checkpoints }
    consumerGroup: counts
    submit: { jar: counts.jar, entryClass: a.Counts, parallelism: 2, args: { mumbai: [], singapore: [] } }
dns:
  cloudflare:
    zone: argus.test
    token: env:TOKEN
    apiUrl: "http://${host}:${api.port}/client/v4"
    account: ${zone.id}
    loadBalancers: [{ name: query.argus.test, pools: { mumbai: ${pools[0]}, singapore: ${pools[1]} } }]
  records: [{ name: ingest.argus.test }]
  resolvers: ["${host}:${dns.port}"]
  authoritative: ["${host}:${dns.port}"]
state: file:./state
`,
  );
});
afterAll(async () => {
  await Promise.all([api?.close(), dns?.close()]);
  await rm(folder, { recursive: true, force: true });
});

const call = async (...args: readonly string[]) => {
  const env = { ID: 'x', TOKEN: 't0ken' };
  const { exitCode, stdout, stderr } = await argus({ configPath: join(folder, 'argus.yaml'), env }, [
    '--json',
    ...args,
  ]);
  const document = stdout.trim() === '' ? {} : JSON.parse(stdout);
  const error = stderr.split('\n').findLast((line) => line.startsWith('{"error"'));
  return { exitCode, document, code: error === undefined ? undefined : JSON.parse(error).error.code, stderr };
};

describe('argus dns', () => {
  test('check says what a flip costs, and that a load balancer would not lead to a disabled pool', async () => {
    const ready = await call('dns', 'check', '--try-edit');
    expect([ready.exitCode, ready.document.verdict, ready.document.findings]).toEqual([
      0,
      'ready',
      [expect.objectContaining({ code: 'PoolUnmonitored' })],
    ]);
    expect(ready.document.costs.map((c: { costSeconds: number }) => c.costSeconds)).toEqual([60, 60]);
    const standby = balancers.pools().find((p) => p.name === 'singapore')?.id ?? '';
    balancers.patchPool(standby, { enabled: false });
    const refused = await call('dns', 'check');
    expect(refused.exitCode).toBe(3);
    expect(refused.document.findings).toContainEqual(expect.objectContaining({ code: 'NameCantMove' }));
    balancers.patchPool(standby, { enabled: true });
  });

  test('show tells what everybody says, without the token', async () => {
    const { exitCode, document, stderr } = await call('dns', 'show');
    expect(exitCode).toBe(0);
    expect(document.names[0].answers).toHaveLength(2);
    expect(document.names[0].answers[0].answer.value).toEqual({ addresses: [addresses.mumbai], ttlSeconds: 60 });
    expect(JSON.stringify(document) + stderr).not.toContain('t0ken');
  });

  test('rollback puts back what a run changed, only against the roles when told to, and leaves all else', async () => {
    const [record] = zone.named('ingest.argus.test');
    const { id, ttl: ttlSeconds } = record!;
    const kept = { id, name: 'ingest.argus.test', type: 'A' as const, ttlSeconds, proxied: false };
    // A run had moved it to the standby; by the roles that is not the primary.
    zone.patch(id, { content: addresses.singapore });
    const state = fileObjectStore(join(folder, 'state'));
    const before = { run, atMs: 1, to: addresses.singapore, records: [{ ...kept, content: addresses.mumbai }] };
    await writeDnsBefore(state, before);
    const away = '20261121T103000Z-failover-3c4d';
    await writeDnsBefore(state, {
      run: away,
      atMs: 1,
      to: addresses.mumbai,
      records: [{ ...kept, content: addresses.singapore }],
    });
    const mail = JSON.stringify(zone.named('mail.argus.test'));

    expect((await call('dns', 'rollback', run, '--dry-run')).exitCode).toBe(0);
    expect(zone.get(id).content).toBe(addresses.singapore);
    const done = await call('dns', 'rollback', run, '--yes');
    expect([done.exitCode, done.document.outcome], done.stderr).toEqual([0, 'done']);
    expect(zone.get(id).content).toBe(addresses.mumbai);
    expect((await call('runs', 'show', done.document.run)).document.runbook).toBe('rollback');

    expect(await call('dns', 'rollback', away, '--yes')).toMatchObject({ exitCode: 3, code: 'RollbackAgainstRoles' });
    zone.patch(id, { content: '127.0.9.9' });
    expect(await call('dns', 'rollback', run, '--yes')).toMatchObject({ exitCode: 3, code: 'NameChangedSince' });
    expect(zone.get(id).content).toBe('127.0.9.9');
    expect(JSON.stringify(zone.named('mail.argus.test'))).toBe(mail);
    expect(await call('dns', 'rollback', 'nothing', '--yes')).toMatchObject({ exitCode: 2, code: 'NoNamesChanged' });
  });
});
