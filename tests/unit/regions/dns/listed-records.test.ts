import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DnsRecord, DnsRecords } from '../../../../regions/dns/dns-records.ts';
import { listedRecords } from '../../../../regions/dns/listed-records.ts';

/** A zone of one record a name, that notes what is asked of it. */
function zone(names: readonly string[]) {
  const touched: string[] = [];
  const record = (name: string): DnsRecord => ({
    id: `id of ${name}`,
    name,
    type: 'A',
    content: '203.0.113.1',
    ttlSeconds: 60,
    proxied: false,
  });
  const port: DnsRecords = {
    async find(name) {
      touched.push(name.toLowerCase());
      return names.filter((n) => n.toLowerCase() === name.toLowerCase()).map(record);
    },
    async setContent(id, content) {
      const name = id.slice('id of '.length);
      touched.push(name.toLowerCase());
      return { ...record(name), content };
    },
  };
  return { port, touched, record };
}

const names = ['ingest.example.com', 'query.example.com', 'mail.example.com', 'example.com', '*.example.com'];
const call = fc.oneof(
  fc.record({ kind: fc.constant('find' as const), name: fc.constantFrom(...names, 'INGEST.example.com') }),
  fc.record({ kind: fc.constantFrom('set' as const, 'restore' as const), name: fc.constantFrom(...names) }),
);

test('no call ever touches an unlisted record, whatever is asked in whatever order', async () => {
  const property = fc.asyncProperty(fc.subarray(names), fc.array(call, { maxLength: 30 }), async (listed, calls) => {
    const { port, touched, record } = zone(names);
    const records = listedRecords(listed.map((name) => ({ name, type: 'A', through: port })));
    const found = new Set<string>();
    for (const { kind, name } of calls) {
      const asked =
        kind === 'find'
          ? records.find(name, 'A')
          : kind === 'set'
            ? records.setContent(`id of ${name}`, '203.0.113.2')
            : (records.restore?.(record(name)) ?? Promise.resolve());
      const allowed = kind === 'find' ? listed.includes(name.toLowerCase()) : found.has(name);
      if (allowed) await asked;
      else await expect(asked).rejects.toMatchObject({ code: 'DnsUnlisted', exitCode: 3 });
      if (kind === 'find' && allowed) found.add(name.toLowerCase());
    }
    expect(touched.filter((name) => !listed.includes(name))).toEqual([]);
  });
  await fc.assert(property);
});

test('another type of a listed name is unlisted', async () => {
  const { port, touched } = zone(names);
  const records = listedRecords([{ name: 'ingest.example.com', type: 'A', through: port }]);
  await expect(records.find('ingest.example.com', 'CNAME')).rejects.toMatchObject({ code: 'DnsUnlisted' });
  expect(touched).toEqual([]);
});

test('names of several holders settle with the slowest', () => {
  const { port } = zone(names);
  const slow = { ...port, settlesMs: 60_000 };
  const through = [port, slow].map((p, i): Parameters<typeof listedRecords>[0][number] => ({
    name: names[i] as string,
    type: 'A',
    through: p,
  }));
  expect(listedRecords(through).settlesMs).toBe(60_000);
  expect(listedRecords(through.slice(0, 1)).settlesMs).toBe(0);
});
