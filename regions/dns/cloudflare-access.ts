import {
  APIConnectionError,
  APIError,
  AuthenticationError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'cloudflare/error';
import { BaseRecords } from 'cloudflare/resources/dns/records';
import { BaseHealthchecks } from 'cloudflare/resources/healthchecks';
import { BaseLoadBalancers } from 'cloudflare/resources/load-balancers/load-balancers';
import { BaseMonitors } from 'cloudflare/resources/load-balancers/monitors';
import { BaseHealth, BasePools } from 'cloudflare/resources/load-balancers/pools';
import { BaseTokens } from 'cloudflare/resources/user/tokens';
import { BaseZones } from 'cloudflare/resources/zones/zones';
import { createClient } from 'cloudflare/tree-shakable';
import type { CallLimit } from '../../domain/call-budget.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { type ProviderCall, type ProviderCalls, providerCalls } from './provider-calls.ts';

export interface CloudflareOptions {
  /** The zone's name, e.g. `example.com`. */
  readonly zone: string;
  /** Needs Zone:Read and DNS:Edit on that zone; for load balancers what docs/dns.md lists. */
  readonly token: string;
  /** Another API root than Cloudflare's own. */
  readonly apiUrl?: string;
  /** For one call with all its repeats; 15 s when absent. */
  readonly deadlineMs?: number;
}

/** One token's way to one zone; all adapters of the zone share it, and with it the rate limit. */
export interface CloudflareAccess {
  readonly zone: string;
  readonly client: ReturnType<typeof openClient>;
  readonly calls: ProviderCalls;
  /** Asked once, at the first call. */
  zoneId(io: ProviderCall): Promise<string>;
}

/**
 * Cloudflare blocks a user for five minutes after 1,200 calls in five minutes, over all tokens, keys and the dashboard:
 * half of it is Argus' here. Source: Cloudflare, "API: Rate limits".
 */
const limit: CallLimit = { calls: 600, windowMs: 300_000, reserve: 200 };

/** Opens Cloudflare's API (v4, `cloudflare` 7) for one zone. Nothing is asked yet. */
export function cloudflareAccess(options: CloudflareOptions): CloudflareAccess {
  const { zone, deadlineMs } = options;
  const client = openClient(options);
  const label = `Cloudflare (zone ${zone})`;
  const calls = providerCalls({
    label,
    limit,
    toError,
    retryAfterMs,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
  let id: string | undefined;
  return {
    zone,
    client,
    calls,
    async zoneId({ signal, spend }) {
      if (id !== undefined) return id;
      await spend();
      const page = await client.zones.list({ name: zone }, { signal });
      const found = page.result.find((z) => z.name === zone);
      if (found === undefined) {
        throw new ArgusError('DnsZoneMissing', `Cloudflare shows no zone "${zone}" to this token`, {
          hint: 'check dns.cloudflare.zone, and that the token may read this zone',
          exitCode: 2,
        });
      }
      id = found.id;
      return id;
    },
  };
}

function openClient({ token, apiUrl }: CloudflareOptions) {
  return createClient({
    apiToken: token,
    ...(apiUrl === undefined ? {} : { baseURL: apiUrl }),
    // The SDK would repeat POST and PATCH, and obey any Retry-After without a limit.
    maxRetries: 0,
    timeout: 5_000,
    logLevel: 'off',
    resources: [
      BaseZones,
      BaseRecords,
      BaseLoadBalancers,
      BasePools,
      BaseHealth,
      BaseMonitors,
      BaseHealthchecks,
      BaseTokens,
    ],
  });
}

/** Seconds, as Cloudflare sends it. */
function retryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof APIError)) return undefined;
  const seconds = Number(error.headers?.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

function toError(error: unknown, what: string): ArgusError {
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
    return new ArgusError('DnsUnreachable', `${what}: ${why}`, {
      hint: 'try again; https://www.cloudflarestatus.com tells of outages',
      cause: error,
      retryable: true,
    });
  }
  if (error instanceof AuthenticationError || error instanceof PermissionDeniedError || isBadToken(error)) {
    return new ArgusError('DnsDenied', `${what}: ${why}`, {
      hint: 'the token in dns.cloudflare.token must be valid, and have the rights that docs/dns.md lists',
      cause: error,
      exitCode: 2,
    });
  }
  const hint = error instanceof NotFoundError ? { hint: 'it is gone: somebody removed it' } : {};
  return new ArgusError('DnsFailed', `${what}: ${why}`, { ...hint, cause: error });
}

/** Cloudflare answers 400 with code 6003 or 6111 (invalid request headers) for a token that is no token at all. */
const isBadToken = (error: unknown) =>
  error instanceof APIError && error.status === 400 && error.errors.some((e) => e.code === 6003 || e.code === 6111);
