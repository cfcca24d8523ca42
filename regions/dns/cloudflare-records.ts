import {
  APIConnectionError,
  APIError,
  AuthenticationError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'cloudflare/error';
import { BaseRecords, type RecordEditParams, type RecordResponse } from 'cloudflare/resources/dns/records';
import { BaseZones } from 'cloudflare/resources/zones/zones';
import { createClient } from 'cloudflare/tree-shakable';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { DnsRecord, DnsRecords } from './dns-records.ts';

export interface CloudflareOptions {
  /** The zone's name, e.g. `example.com`. */
  readonly zone: string;
  /** Needs Zone:Read and DNS:Edit on that zone. */
  readonly token: string;
  /** Another API root than Cloudflare's own. */
  readonly apiUrl?: string;
  /** For one call with all its retries; 15 s when absent. */
  readonly deadlineMs?: number;
}

/** One zone's records through Cloudflare's API (v4, `cloudflare` 7). The zone's id is asked once, at the first call. */
export function cloudflareRecords(options: CloudflareOptions): DnsRecords {
  const { zone, deadlineMs = 15_000 } = options;
  const client = createClient({
    apiToken: options.token,
    ...(options.apiUrl === undefined ? {} : { baseURL: options.apiUrl }),
    // Retries everything that may pass (connection, 408, 409, 429, 5xx); our own deadline bounds it, since it obeys
    // any Retry-After without a limit.
    maxRetries: 2,
    timeout: 5_000,
    logLevel: 'off',
    resources: [BaseZones, BaseRecords],
  });
  let zoneId: string | undefined;

  async function idOfZone(signal: AbortSignal): Promise<string> {
    if (zoneId !== undefined) return zoneId;
    const page = await client.zones.list({ name: zone }, { signal });
    const found = page.result.find((z) => z.name === zone);
    if (found === undefined) {
      throw new ArgusError('DnsZoneMissing', `Cloudflare shows no zone "${zone}" to this token`, {
        hint: 'check dns.cloudflare.zone, and that the token may read this zone',
        exitCode: 2,
      });
    }
    zoneId = found.id;
    return zoneId;
  }

  return {
    find: (name, type, { signal } = {}) =>
      bounded(`find ${type} ${name}`, zone, deadlineMs, signal, async (s) => {
        const records: DnsRecord[] = [];
        const pages = client.dns.records.list(
          { zone_id: await idOfZone(s), name: { exact: name }, type },
          { signal: s },
        );
        for await (const record of pages) {
          if (record.type === type && record.name.toLowerCase() === name.toLowerCase()) records.push(toRecord(record));
        }
        return records;
      }),
    setContent: (id, content, { signal } = {}) =>
      bounded(`set record ${id} to ${content}`, zone, deadlineMs, signal, async (s) => {
        // The API's PATCH takes the fields that change; the SDK's type asks for name, type and TTL too, and sending
        // those would undo somebody's change of them.
        const change = { zone_id: await idOfZone(s), content } as RecordEditParams;
        return toRecord(await client.dns.records.edit(id, change, { signal: s }));
      }),
  };
}

/** Runs a call within its deadline, and gives its failure the port's codes. */
async function bounded<T>(
  what: string,
  zone: string,
  deadlineMs: number,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const late = new ArgusError('DnsUnreachable', `Cloudflare (zone ${zone}): ${what}: no answer in ${deadlineMs} ms`, {
    hint: 'try again; https://www.cloudflarestatus.com tells of outages',
    retryable: true,
  });
  const timer = setTimeout(() => stop.abort(late), deadlineMs);
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  // The SDK's wait between retries does not end by the signal, so the call is left behind instead.
  const stopped = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
  });
  try {
    return await Promise.race([call(stop.signal), stopped]);
  } catch (error) {
    if (stop.signal.aborted) throw stop.signal.reason;
    throw toArgusError(error, `Cloudflare (zone ${zone}): ${what}`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function toArgusError(error: unknown, what: string): ArgusError {
  if (error instanceof ArgusError) return error;
  const codes = error instanceof APIError ? error.errors.map((e) => `${e.code} ${e.message}`).join(', ') : '';
  const status = error instanceof APIError && error.status !== undefined ? `HTTP ${error.status}` : '';
  const why = [status, codes].filter((part) => part !== '').join(': ') || describeError(error);
  if (error instanceof APIConnectionError) {
    return new ArgusError('DnsUnreachable', `${what}: ${describeError(error)}`, {
      hint: "can this machine reach Cloudflare's API?",
      cause: error,
      retryable: true,
    });
  }
  if (error instanceof RateLimitError || error instanceof InternalServerError) {
    return new ArgusError('DnsUnreachable', `${what}: ${why}`, { cause: error, retryable: true });
  }
  if (error instanceof AuthenticationError || error instanceof PermissionDeniedError || isBadToken(error)) {
    return new ArgusError('DnsDenied', `${what}: ${why}`, {
      hint: 'the token in dns.cloudflare.token must be valid and may need Zone:Read and DNS:Edit on this zone',
      cause: error,
      exitCode: 2,
    });
  }
  const hint = error instanceof NotFoundError ? { hint: 'the record is gone: somebody removed it' } : {};
  return new ArgusError('DnsFailed', `${what}: ${why}`, { ...hint, cause: error });
}

/** Cloudflare answers 400 with code 6003 or 6111 (invalid request headers) for a token that is no token at all. */
const isBadToken = (error: unknown) =>
  error instanceof APIError && error.status === 400 && error.errors.some((e) => e.code === 6003 || e.code === 6111);

function toRecord(record: RecordResponse): DnsRecord {
  return {
    id: record.id,
    name: record.name.replace(/\.$/, ''),
    type: record.type as DnsRecord['type'],
    content: 'content' in record ? (record.content ?? '') : '',
    ttlSeconds: record.ttl,
    proxied: 'proxied' in record && record.proxied === true,
  };
}
