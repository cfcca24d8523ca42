import { Resolver } from 'node:dns/promises';

/** How long an answer is used again; new connections ask at least this often. */
const freshMs = 500;

/** The IPv4 address of one name, asked at one DNS server and never remembered for more than half a second. */
export class NameLookup {
  readonly #resolver = new Resolver({ timeout: 500, tries: 2 });
  readonly #name: string;
  readonly #monotonic: () => number;
  #known: { readonly address: string; readonly atMs: number } | undefined;
  #asking: Promise<string | undefined> | undefined;

  /** `server` is `host:port`. */
  constructor(server: string, name: string, monotonic: () => number) {
    this.#resolver.setServers([server]);
    this.#name = name;
    this.#monotonic = monotonic;
  }

  /** The address; nothing when the server doesn't answer or knows none. */
  async address(): Promise<string | undefined> {
    if (this.#known !== undefined && this.#monotonic() - this.#known.atMs < freshMs) return this.#known.address;
    this.#asking ??= this.#ask();
    return this.#asking;
  }

  async #ask(): Promise<string | undefined> {
    const atMs = this.#monotonic();
    try {
      const address = (await this.#resolver.resolve4(this.#name))[0];
      this.#known = address === undefined ? undefined : { address, atMs };
      return address;
    } catch {
      // Without an answer there is no address to go to; the caller asks again.
      this.#known = undefined;
      return undefined;
    } finally {
      this.#asking = undefined;
    }
  }
}
