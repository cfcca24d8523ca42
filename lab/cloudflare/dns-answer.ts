import { type Answer, flags, type Message, rcodes } from './dns-wire.ts';
import type { DnsZone, ZoneRecord } from './dns-zone.ts';

/** Seconds that a record with the automatic TTL (1) is answered with, as Cloudflare does. */
const automaticTtlSeconds = 300;
/** How long "there is no such name" may be remembered; short, because the lab's names move. */
const negativeTtlSeconds = 5;

/**
 * The authoritative answer to a query: records of the zone, the zone's SOA where there are none, NXDOMAIN for a name
 * that doesn't exist, REFUSED outside the zone. A CNAME is followed inside the zone. Proxied records are answered
 * with their own content (the real service answers with its own edge there). No wildcards.
 */
export function answerQuery(query: Message, zone: DnsZone): Partial<Message> {
  const question = query.questions[0];
  const respond = (rcode: number, parts: Partial<Message> = {}): Partial<Message> => ({
    id: query.id,
    type: 'response',
    questions: question === undefined ? [] : [question],
    flags: ((query.flags ?? 0) & flags.recursionDesired) | (rcode === rcodes.refused ? 0 : flags.authoritative) | rcode,
    additionals: query.additionals.some((a) => a.type === 'OPT')
      ? [{ name: '.', type: 'OPT', udpPayloadSize: 1232 }]
      : [],
    ...parts,
  });

  if (query.opcode !== undefined && query.opcode !== 'QUERY') return respond(rcodes.notImplemented);
  if (question === undefined || query.questions.length !== 1) return respond(rcodes.formatError);
  const name = question.name.toLowerCase().replace(/\.$/, '');
  if (name !== zone.name && !name.endsWith(`.${zone.name}`)) return respond(rcodes.refused);

  if (name === zone.name && question.type === 'SOA') return respond(rcodes.noError, { answers: [soa(zone)] });
  if (name === zone.name && question.type === 'NS') {
    const ns = { name: zone.name, type: 'NS', ttl: automaticTtlSeconds, data: `ns1.${zone.name}` };
    return respond(rcodes.noError, { answers: [ns] });
  }
  const answers = follow(name, question.type, zone);
  if (answers.length > 0) return respond(rcodes.noError, { answers });
  const exists =
    name === zone.name ||
    zone.balanced(name) !== undefined ||
    zone.records().some((r) => r.name === name || r.name.endsWith(`.${name}`));
  return respond(exists ? rcodes.noError : rcodes.nameError, { authorities: [soa(zone)] });
}

function follow(name: string, type: string, zone: DnsZone): Answer[] {
  const answers: Answer[] = [];
  const seen = new Set<string>();
  for (let at = name; !seen.has(at); ) {
    seen.add(at);
    const balanced = zone.balanced(at);
    if (balanced !== undefined) {
      if (type !== 'A' && type !== 'ANY') return answers;
      const { addresses, ttl } = balanced;
      return [...answers, ...addresses.map((data) => ({ name: at, type: 'A', class: 'IN' as const, ttl, data }))];
    }
    const here = zone.named(at);
    const direct = here.filter((r) => r.type === type || type === 'ANY');
    if (direct.length > 0) return [...answers, ...direct.map(toAnswer)];
    const alias = here.find((r) => r.type === 'CNAME');
    if (alias === undefined) return answers;
    answers.push(toAnswer(alias));
    at = alias.content;
  }
  return answers;
}

function toAnswer(record: ZoneRecord): Answer {
  const ttl = record.ttl === 1 ? automaticTtlSeconds : record.ttl;
  return { name: record.name, type: record.type, class: 'IN', ttl, data: record.content };
}

function soa(zone: DnsZone): Answer {
  return {
    name: zone.name,
    type: 'SOA',
    ttl: negativeTtlSeconds,
    data: {
      mname: `ns1.${zone.name}`,
      rname: `dns.${zone.name}`,
      serial: zone.serial,
      refresh: 60,
      retry: 10,
      expire: 3_600,
      minimum: negativeTtlSeconds,
    },
  };
}
