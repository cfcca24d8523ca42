import type { DnsCallOptions } from './dns-records.ts';

/** A pool of a load balancer, as the provider has it. */
export interface PoolFacts {
  readonly id: string;
  readonly name: string;
  /** The region for which it stands; absent: none. */
  readonly region?: string;
  /** The order or the fallback has it: clients may be led there. */
  readonly leadsTo: boolean;
  readonly enabled: boolean;
  /** Without a monitor it counts as healthy, whatever happens to it. */
  readonly monitored: boolean;
  /** Absent: nobody could tell. */
  readonly healthy?: boolean;
}

/** A load balancer that follows the primary, as the provider has it. */
export interface BalancerFacts {
  readonly name: string;
  readonly enabled: boolean;
  readonly steering: string;
  readonly proxied: boolean;
  readonly sessionAffinity: string;
  /** In their order; with the fallback pool where the order lacks it. */
  readonly pools: readonly PoolFacts[];
}

/** What a provider says of itself. What could not be read is in `unread`, with the reason. */
export interface ProviderFacts {
  readonly provider: string;
  readonly token?: { readonly status: string; readonly expiresAtMs?: number };
  readonly zone?: {
    readonly name: string;
    readonly status: string;
    readonly paused: boolean;
    readonly nameServers: readonly string[];
  };
  readonly balancers: readonly BalancerFacts[];
  /** Standalone health checks of the zone; they move nothing. */
  readonly healthChecks: readonly { readonly name: string; readonly status: string; readonly address: string }[];
  readonly unread: readonly { readonly what: string; readonly why: string }[];
}

/** A provider that can be asked about itself. Reads only. */
export interface DnsProvider {
  /** Never throws but when the caller stops. */
  facts(options?: DnsCallOptions): Promise<ProviderFacts>;
}
