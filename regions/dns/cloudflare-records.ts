import type { RecordEditParams, RecordResponse } from 'cloudflare/resources/dns/records';
import { type CloudflareAccess, type CloudflareOptions, cloudflareAccess } from './cloudflare-access.ts';
import type { DnsCallOptions, DnsRecord, DnsRecords } from './dns-records.ts';

/** One zone's records through Cloudflare's API. */
export function cloudflareRecords(options: CloudflareOptions | CloudflareAccess): DnsRecords {
  const access = 'client' in options ? options : cloudflareAccess(options);
  const { client, calls } = access;
  return {
    find: (name, type, options = {}) =>
      calls.run(`find ${type} ${name}`, options, async (io) => {
        const zone_id = await access.zoneId(io);
        const records: DnsRecord[] = [];
        await io.spend();
        const pages = client.dns.records.list({ zone_id, name: { exact: name }, type }, { signal: io.signal });
        for await (const record of pages) {
          if (record.type === type && record.name.toLowerCase() === name.toLowerCase()) records.push(toRecord(record));
        }
        return records;
      }),
    setContent: (id, content, options = {}) =>
      calls.run(`set record ${id} to ${content}`, options, async (io) => {
        // The API's PATCH takes the fields that change; the SDK's type asks for name, type and TTL too, and sending
        // those would undo somebody's change of them.
        const change = { zone_id: await access.zoneId(io), content } as RecordEditParams;
        await io.spend();
        return toRecord(await client.dns.records.edit(id, change, { signal: io.signal }));
      }),
  };
}

/** All A records of the zone, by name. */
export function cloudflareNames(access: CloudflareAccess, options: DnsCallOptions = {}): Promise<readonly DnsRecord[]> {
  const { client, calls } = access;
  return calls.run('list A records', options, async (io) => {
    const zone_id = await access.zoneId(io);
    const records: DnsRecord[] = [];
    await io.spend();
    for await (const record of client.dns.records.list({ zone_id, type: 'A' }, { signal: io.signal }))
      if (record.type === 'A') records.push(toRecord(record));
    return records.sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

/** A proxied record's TTL is automatic: 300 s. Source: Cloudflare, "Time to Live (TTL)". */
const automaticTtlSeconds = 300;

function toRecord(record: RecordResponse): DnsRecord {
  return {
    id: record.id,
    name: record.name.replace(/\.$/, ''),
    type: record.type as DnsRecord['type'],
    content: 'content' in record ? (record.content ?? '') : '',
    ttlSeconds: record.ttl === 1 ? automaticTtlSeconds : record.ttl,
    proxied: 'proxied' in record && record.proxied === true,
  };
}
