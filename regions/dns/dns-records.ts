/** A load balancer's order of pools, by their ids. */
export interface PoolOrder {
  readonly defaultPools: readonly string[];
  readonly fallbackPool: string;
}

/**
 * One thing at the provider that says where a name leads. A load balancer shows one for each region that it may lead
 * to, with the region's address as content: its edge or its origins answer in truth.
 */
export interface DnsRecord {
  readonly id: string;
  /** Fully qualified, without the last dot. */
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'CNAME';
  readonly content: string;
  readonly ttlSeconds: number;
  /** Resolvers answer with addresses of the provider's edge, never with `content`. */
  readonly proxied: boolean;
  /** Contents that it can't be set to as things are (`*`: any), and why. Absent: none is known. */
  readonly refuses?: readonly { readonly content: string; readonly why: string }[];
  /** Of a load balancer: what `setContent` replaces. */
  readonly pools?: PoolOrder;
}

/** Of a call to a provider. */
export interface DnsCallOptions {
  readonly signal?: AbortSignal;
  /** Of a run that moves names: may use what is kept in reserve of the API's rate limit. */
  readonly urgent?: boolean;
}

/**
 * The names of one zone at the provider. Errors are `ArgusError`: `DnsUnreachable` (retryable), `DnsDenied`,
 * `DnsZoneMissing`, `DnsFailed`. Every call ends within its deadline (15 s, repeats included).
 */
export interface DnsRecords {
  /** For so long its name servers may answer with what `setContent` replaced; absent: they don't. */
  readonly settlesMs?: number;
  /** The records of one name and type; empty when there are none. */
  find(name: string, type: DnsRecord['type'], options?: DnsCallOptions): Promise<readonly DnsRecord[]>;
  /** Changes one record's content. Idempotent. The effect is observed by a resolver, not by this answer. */
  setContent(id: string, content: string, options?: DnsCallOptions): Promise<DnsRecord>;
  /** Puts back what `setContent` replaced, as it was found. Absent: the content is all that it replaces. */
  restore?(record: DnsRecord, options?: DnsCallOptions): Promise<void>;
}

/** One DNS server, asked directly (no cache of this machine in between). */
export interface DnsResolver {
  /** `host:port`. */
  readonly server: string;
  /** Addresses of the name; empty when it has none. `DnsUnreachable` when the server doesn't answer in 2 s. */
  resolve(name: string, type: DnsRecord['type'], options?: Omit<DnsCallOptions, 'urgent'>): Promise<readonly string[]>;
}
