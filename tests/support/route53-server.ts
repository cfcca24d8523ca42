import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A record set as the stand-in keeps it. */
export interface StandInSet {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly values: readonly string[];
  readonly setIdentifier?: string;
  readonly aliasOf?: string;
}

/** A failure that comes in place of an answer: a status with Route 53's code, or none at all. */
export type StandInFault = { readonly status: number; readonly code: string } | 'hang';

/**
 * Route 53's XML protocol (2013-04-01) for one hosted zone, as far as the official client is used: list record sets,
 * change them by UPSERT. Written from the API's reference; a change is taken at once (PENDING), and never told to be in
 * sync: nothing asks.
 */
export async function startRoute53(hostedZoneId: string, sets: readonly StandInSet[]) {
  let kept = [...sets];
  const faults: StandInFault[] = [];
  const upserts: StandInSet[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const fault = faults.shift();
      if (fault === 'hang') return;
      const send = (status: number, xml: string) =>
        void response.writeHead(status, { 'content-type': 'text/xml' }).end(`<?xml version="1.0"?>\n${xml}`);
      if (fault !== undefined) return send(fault.status, errorXml(fault.code));
      const url = new URL(request.url ?? '/', 'http://stand-in');
      const path = url.pathname.replace(/\/$/, '');
      const body = Buffer.concat(chunks).toString('utf8');
      if (/AWS4-HMAC-SHA256 Credential=(?!id\/)/.test(request.headers.authorization ?? '')) {
        return send(403, errorXml('InvalidClientTokenId'));
      }
      if (path !== `/2013-04-01/hostedzone/${hostedZoneId}/rrset`) return send(404, errorXml('NoSuchHostedZone'));
      if (request.method === 'GET') return send(200, listXml(kept, url.searchParams));
      const set = upsertOf(body);
      if (set === undefined) return send(400, errorXml('InvalidChangeBatch'));
      upserts.push(set);
      kept = [...kept.filter((s) => s.name !== set.name || s.type !== set.type), set];
      send(200, `<ChangeResourceRecordSetsResponse>${infoXml}</ChangeResourceRecordSetsResponse>`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    upserts,
    sets: (): readonly StandInSet[] => kept,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function upsertOf(xml: string): StandInSet | undefined {
  const one = (tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1];
  const [name, type] = [one('Name'), one('Type')];
  if (one('Action') !== 'UPSERT' || name === undefined || type === undefined) return undefined;
  const values = [...xml.matchAll(/<Value>([^<]*)<\/Value>/g)].map((m) => m[1] ?? '');
  return { name: name.replace(/\.?$/, '.'), type, ttl: Number(one('TTL')), values };
}

function listXml(sets: readonly StandInSet[], query: URLSearchParams): string {
  const from = (query.get('name') ?? '').replace(/\.?$/, '.');
  const rows = sets
    .filter((s) => s.name >= from)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, type, ttl, values, setIdentifier, aliasOf }) => {
      const id = setIdentifier === undefined ? '' : `<SetIdentifier>${setIdentifier}</SetIdentifier><Weight>1</Weight>`;
      const alias = `<AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>${aliasOf}</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>`;
      const records = values.map((v) => `<ResourceRecord><Value>${v}</Value></ResourceRecord>`).join('');
      const plain = `<TTL>${ttl}</TTL><ResourceRecords>${records}</ResourceRecords>`;
      return `<ResourceRecordSet><Name>${name}</Name><Type>${type}</Type>${id}${aliasOf === undefined ? plain : alias}</ResourceRecordSet>`;
    });
  return `<ListResourceRecordSetsResponse><ResourceRecordSets>${rows.join('')}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListResourceRecordSetsResponse>`;
}

const infoXml =
  '<ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-11-21T00:00:00Z</SubmittedAt></ChangeInfo>';
const errorXml = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>stand-in</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
