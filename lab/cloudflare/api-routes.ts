import { timingSafeEqual } from 'node:crypto';
import { accountBalancers, whole, zoneBalancers } from './balancer-routes.ts';
import type { BatchInput, DnsZone } from './dns-zone.ts';
import type { Balancers } from './load-balancers.ts';
import { filterRecords, type Page, paginate } from './record-query.ts';
import { type RecordPatch, ZoneError } from './record-rules.ts';

/** One request, after reading. `path` begins behind `/client/v4`. */
export interface ApiCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
}

/** Cloudflare's envelope around a result. */
export interface Envelope {
  readonly success: true;
  readonly errors: readonly [];
  readonly messages: readonly [];
  readonly result: unknown;
  readonly result_info?: Page<unknown>['info'];
}

/**
 * Carries out one call and gives its envelope; a refusal is a `ZoneError`. Statuses and codes of refusals are from
 * memory of the real service: 9106 no token, 6003 not a bearer token, 9109 a wrong one, 7003 an unknown zone,
 * 81044 an unknown record, 7000 no such route.
 */
export function routeRequest(
  call: ApiCall,
  authorization: string | undefined,
  { zone, balancers, token }: { readonly zone: DnsZone; readonly balancers: Balancers; readonly token: string },
): Envelope {
  authorize(authorization, token);
  const parts = call.path.split('/').filter((part) => part !== '');
  if (call.method === 'GET' && call.path === '/user/tokens/verify') {
    return envelope({ id: zone.id, status: 'active' });
  }
  if (parts[0] === 'accounts' && parts[1] === zone.id && parts[2] === 'load_balancers') {
    return known(accountBalancers(call, parts.slice(3), balancers));
  }
  if (parts[0] !== 'zones') throw noRoute();
  if (parts.length === 1) return call.method === 'GET' ? listZones(call, zone) : wrongMethod();
  if (parts[1] !== zone.id) {
    throw new ZoneError(404, 7003, `Could not route to /zones/${parts[1]}, perhaps your object identifier is invalid?`);
  }
  if (parts.length === 2) return call.method === 'GET' ? envelope(describeZone(zone)) : wrongMethod();
  if (parts[2] === 'load_balancers') return known(zoneBalancers(call, parts.slice(3), balancers));
  if (parts[2] === 'healthchecks' && parts.length === 3 && call.method === 'GET') return whole([]);
  if (parts[2] !== 'dns_records' || parts.length > 4) throw noRoute();
  if (parts[3] === undefined) return records(call, zone);
  if (parts[3] === 'batch') return call.method === 'POST' ? envelope(zone.batch(batchOf(call.text))) : wrongMethod();
  return oneRecord(call, zone, parts[3]);
}

function authorize(header: string | undefined, token: string): void {
  if (header === undefined) {
    throw new ZoneError(400, 9106, 'Missing X-Auth-Key, X-Auth-Email or Authorization headers');
  }
  const given = /^Bearer ([A-Za-z0-9_-]+)$/.exec(header)?.[1];
  if (given === undefined) throw new ZoneError(400, 6003, 'Invalid request headers');
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw new ZoneError(403, 9109, 'Invalid access token');
}

function listZones(call: ApiCall, zone: DnsZone): Envelope {
  const name = call.query.get('name');
  const zones = name === null || name.toLowerCase() === zone.name ? [describeZone(zone)] : [];
  return paged(paginate(zones, call.query, { default: 20, max: 50 }));
}

function records(call: ApiCall, zone: DnsZone): Envelope {
  if (call.method === 'POST') return envelope(zone.create(jsonOf(call.text)));
  if (call.method !== 'GET') return wrongMethod();
  const kept = filterRecords(zone.records(), call.query);
  return paged(paginate(kept, call.query, { default: 100, max: 5_000_000 }));
}

function oneRecord(call: ApiCall, zone: DnsZone, id: string): Envelope {
  switch (call.method) {
    case 'GET':
      return envelope(zone.get(id));
    case 'PATCH':
      return envelope(zone.patch(id, jsonOf(call.text)));
    case 'PUT':
      return envelope(zone.put(id, jsonOf(call.text)));
    case 'DELETE':
      return envelope({ id: zone.delete(id).id });
    default:
      return wrongMethod();
  }
}

function describeZone(zone: DnsZone): unknown {
  return {
    id: zone.id,
    name: zone.name,
    status: 'active',
    paused: false,
    type: 'full',
    development_mode: 0,
    name_servers: [`ns1.${zone.name}`],
    original_name_servers: null,
    account: { id: zone.id, name: 'lab' },
    owner: { id: null, type: 'user', email: null },
    plan: { id: 'free', name: 'Free Website' },
  };
}

function jsonOf(text: string): RecordPatch {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ZoneError(400, 6007, 'Malformed JSON in request body');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ZoneError(400, 9207, 'Request body is invalid.');
  }
  return body;
}

function batchOf(text: string): BatchInput {
  const body = jsonOf(text) as BatchInput;
  for (const list of [body.deletes, body.patches, body.puts, body.posts] as unknown[]) {
    const valid = list === undefined || (Array.isArray(list) && list.every((i) => typeof i === 'object' && i !== null));
    if (!valid) throw new ZoneError(400, 9207, 'Request body is invalid.');
  }
  return body;
}

function envelope(result: unknown): Envelope {
  return { success: true, errors: [], messages: [], result };
}

function paged(page: Page<unknown>): Envelope {
  return { ...envelope(page.result), result_info: page.info };
}

function known(result: unknown): Envelope {
  if (result === undefined) throw noRoute();
  return whole(result);
}

function noRoute(): ZoneError {
  return new ZoneError(400, 7000, 'No route for that URI');
}

function wrongMethod(): never {
  throw new ZoneError(405, 10405, 'Method not allowed for this authentication scheme');
}
