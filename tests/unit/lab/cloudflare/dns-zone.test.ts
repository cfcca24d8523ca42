import { describe, expect, it } from 'vitest';
import { DnsZone } from '../../../../lab/cloudflare/dns-zone.ts';
import { filterRecords, paginate } from '../../../../lab/cloudflare/record-query.ts';
import { ZoneError } from '../../../../lab/cloudflare/record-rules.ts';

const at = () => new Date('2026-11-21T10:00:00Z');
const zoneWith = (...records: object[]) => {
  const zone = new DnsZone('argus.test', at);
  for (const record of records) zone.create({ type: 'A', name: 'ingest', content: '127.0.1.1', ttl: 60, ...record });
  return zone;
};
const codeOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return error instanceof ZoneError ? error.code : error;
  }
  return 'accepted';
};

describe('a zone', () => {
  it('takes a name outside the zone as relative to it', () => {
    expect(
      zoneWith({}, { name: '@' }, { name: 'API.argus.test.' })
        .records()
        .map((r) => r.name),
    ).toEqual(['ingest.argus.test', 'argus.test', 'api.argus.test']);
  });

  it.each([
    ['a TTL below a minute', { ttl: 59 }, 9021],
    ['a TTL above a day', { ttl: 86_401 }, 9021],
    ['a broken TTL', { ttl: 60.5 }, 9021],
    ['an A record without an IPv4 address', { content: '::1' }, 9005],
    ['an AAAA record without an IPv6 address', { type: 'AAAA', content: '127.0.0.1' }, 9006],
    ['an unknown type', { type: 'LOC' }, 1004],
    ['an impossible name', { name: 'a..b' }, 9000],
    ['the same record again', {}, 81058],
    ['a CNAME beside another record', { type: 'CNAME', content: 'elsewhere.test' }, 81053],
  ])('refuses %s', (_what, record, code) => {
    const zone = zoneWith({});
    expect(codeOf(() => zone.create({ type: 'A', name: 'ingest', content: '127.0.1.1', ttl: 60, ...record }))).toBe(
      code,
    );
    expect(zone.records()).toHaveLength(1);
  });

  it('keeps what a patch does not name, and forgets it on a put', () => {
    const zone = zoneWith({ comment: 'ours' });
    const { id } = zone.records()[0]!;
    expect(zone.patch(id, { content: '127.0.2.1' })).toMatchObject({
      content: '127.0.2.1',
      ttl: 60,
      comment: 'ours',
      id,
    });
    expect(zone.put(id, { type: 'A', name: 'ingest', content: '127.0.3.1' })).toMatchObject({
      ttl: 1,
      comment: null,
      id,
    });
  });

  it('changes nothing when one part of a batch is refused', () => {
    const zone = zoneWith({}, { name: 'other' });
    const [first, second] = zone.records();
    const batch = {
      deletes: [{ id: second!.id }],
      patches: [{ id: first!.id, content: '127.0.2.1' }],
      posts: [{ type: 'A', name: 'new', content: 'nonsense' }],
    };
    const before = { records: zone.records(), serial: zone.serial };
    expect(codeOf(() => zone.batch(batch))).toBe(9005);
    expect({ records: zone.records(), serial: zone.serial }).toEqual(before);
  });

  it('replaces a record by a CNAME of the same name in one batch', () => {
    const zone = zoneWith({});
    const posts = [{ type: 'CNAME', name: 'ingest', content: 'standby.test' }];
    zone.batch({ deletes: [{ id: zone.records()[0]!.id }], posts });
    expect(zone.records().map((r) => r.type)).toEqual(['CNAME']);
  });
});

describe('a list of records', () => {
  const records = zoneWith(
    {},
    { content: '127.0.2.1' },
    { name: 'query' },
    { name: 'note', type: 'TXT', content: 'x' },
  ).records();
  const names = (query: string) => filterRecords(records, new URLSearchParams(query)).map((r) => r.name.split('.')[0]);

  it.each([
    ['name=ingest.argus.test', ['ingest', 'ingest']],
    ['name.exact=ingest.argus.test&type=A&content=127.0.2.1', ['ingest']],
    ['name[exact]=query.argus.test', ['query']],
    ['name.contains=que', ['query']],
    ['name.startswith=note&type=A', []],
    ['type=TXT&name.exact=query.argus.test&match=any', ['query', 'note']],
    ['order=name&direction=desc', ['query', 'note', 'ingest', 'ingest']],
    ['per_page=2', ['ingest', 'ingest', 'query', 'note']],
  ])('filtered by %s', (query, expected) => {
    expect(names(query)).toEqual(expected);
  });

  it('is cut into pages that tell the total', () => {
    const page = paginate(records, new URLSearchParams('page=2&per_page=3'), { default: 100, max: 1_000 });
    expect(page.info).toEqual({ page: 2, per_page: 3, count: 1, total_count: 4, total_pages: 2 });
    expect(codeOf(() => paginate(records, new URLSearchParams('page=0'), { default: 1, max: 1 }))).toBe(1004);
  });
});
