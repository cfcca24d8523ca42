import { describe, expect, it } from 'vitest';
import { answerQuery } from '../../../../lab/cloudflare/dns-answer.ts';
import { decodeMessage, encodeMessage, flags, rcodes } from '../../../../lab/cloudflare/dns-wire.ts';
import { DnsZone } from '../../../../lab/cloudflare/dns-zone.ts';

const zone = new DnsZone('argus.test');
zone.create({ type: 'A', name: 'ingest', content: '127.0.1.1', ttl: 60 });
zone.create({ type: 'A', name: 'ingest', content: '127.0.2.1' });
zone.create({ type: 'CNAME', name: 'www', content: 'ingest.argus.test', ttl: 120 });
zone.create({ type: 'A', name: 'a.deep', content: '127.0.1.1' });
zone.create({ type: 'TXT', name: 'note', content: 'hello' });

/** Through the wire and back, as a client sees it. */
const ask = (name: string, type: string) => {
  const query = decodeMessage(encodeMessage({ id: 7, type: 'query', questions: [{ name, type, class: 'IN' }] }));
  const reply = decodeMessage(encodeMessage(answerQuery(query, zone)));
  return {
    rcode: (reply.flags ?? 0) & 15,
    authoritative: ((reply.flags ?? 0) & flags.authoritative) !== 0,
    answers: reply.answers.map((a) => `${a.name} ${a.ttl} ${a.type} ${a.data}`),
    soa: reply.authorities.some((a) => a.type === 'SOA'),
  };
};

describe('the answer of the DNS server', () => {
  it('holds all records of the name, the automatic TTL as 300 s', () => {
    expect(ask('INGEST.argus.test', 'A')).toEqual({
      rcode: rcodes.noError,
      authoritative: true,
      answers: ['ingest.argus.test 60 A 127.0.1.1', 'ingest.argus.test 300 A 127.0.2.1'],
      soa: false,
    });
  });

  it('follows a CNAME inside the zone', () => {
    expect(ask('www.argus.test', 'A').answers).toEqual([
      'www.argus.test 120 CNAME ingest.argus.test',
      'ingest.argus.test 60 A 127.0.1.1',
      'ingest.argus.test 300 A 127.0.2.1',
    ]);
  });

  it.each([
    ['a name that does not exist: NXDOMAIN with the SOA', 'gone.argus.test', 'A', rcodes.nameError, true, true],
    ['a type that the name does not have: empty with the SOA', 'ingest.argus.test', 'AAAA', rcodes.noError, true, true],
    ['a name that only has names below it: empty, not missing', 'deep.argus.test', 'A', rcodes.noError, true, true],
    ['a name outside the zone: refused', 'example.com', 'A', rcodes.refused, false, false],
  ])('%s', (_rule, name, type, rcode, soa, authoritative) => {
    expect(ask(name, type)).toEqual({ rcode, soa, authoritative, answers: [] });
  });

  it('gives SOA, NS and TXT', () => {
    expect(ask('argus.test', 'SOA').answers).toHaveLength(1);
    expect(ask('argus.test', 'NS').answers).toEqual(['argus.test 300 NS ns1.argus.test']);
    expect(ask('note.argus.test', 'TXT').answers).toEqual(['note.argus.test 300 TXT hello']);
  });
});
