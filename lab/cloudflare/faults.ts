/** What the API does instead of answering as it should. */
export interface Fault {
  /** Answer with this HTTP status and Cloudflare's envelope; the change is not carried out. */
  readonly status?: number;
  /** Seconds for the `retry-after` header, together with `status`. */
  readonly retryAfter?: number;
  /** Never answer. */
  readonly hang?: boolean;
  /** Reset the connection. */
  readonly reset?: boolean;
  /** Carry the request out before failing: the effect is there, the answer isn't. */
  readonly afterEffect?: boolean;
  /** Only requests of this method; all when absent. */
  readonly method?: string;
  /** Only requests whose path holds this; all when absent. */
  readonly path?: string;
  /** So many of those pass before; 0 when absent. */
  readonly skip?: number;
  /** How many requests it hits; 1 when absent. */
  readonly count?: number;
}

/** The faults that were asked for, oldest first. */
export class FaultList {
  #faults: { fault: Fault; left: number; skip: number }[] = [];

  /** Replaces what was there. */
  set(faults: readonly Fault[]): void {
    this.#faults = faults.map((fault) => ({ fault, left: fault.count ?? 1, skip: fault.skip ?? 0 }));
  }

  /** What still waits to happen, with the number of requests it will hit. */
  pending(): Fault[] {
    return this.#faults.map(({ fault, left, skip }) => ({ ...fault, count: left, ...(skip > 0 ? { skip } : {}) }));
  }

  /** The fault that hits a request, used up by one; nothing when the request may pass. */
  take(method: string, path: string): Fault | undefined {
    const entry = this.#faults.find(
      ({ fault }) => (fault.method === undefined || fault.method === method) && path.includes(fault.path ?? ''),
    );
    if (entry === undefined) return undefined;
    if (entry.skip > 0) {
      entry.skip--;
      return undefined;
    }
    entry.left--;
    if (entry.left <= 0) this.#faults = this.#faults.filter((e) => e !== entry);
    return entry.fault;
  }
}

/** Faults from a control request's body: one object or a list of them. Throws a plain `Error` on anything else. */
export function parseFaults(body: unknown): Fault[] {
  return (Array.isArray(body) ? body : [body]).map((item: unknown) => {
    if (typeof item !== 'object' || item === null) throw new Error('a fault is an object');
    const fault = item as Fault;
    const numbers = [fault.status, fault.retryAfter, fault.count, fault.skip];
    if (numbers.some((n) => n !== undefined && (!Number.isInteger(n) || n < 0))) {
      throw new Error('status, retryAfter, skip and count are whole numbers');
    }
    if (fault.status === undefined && fault.hang !== true && fault.reset !== true) {
      throw new Error('a fault needs status, hang or reset');
    }
    if (fault.status !== undefined && (fault.status < 400 || fault.status > 599)) {
      throw new Error('the status of a fault is 400 to 599');
    }
    return fault;
  });
}
