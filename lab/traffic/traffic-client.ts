import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LabEvent, maxEventsPerRequest } from '../ingest/event.ts';
import { KeyQueues } from './key-queues.ts';
import { LedgerWriter } from './ledger.ts';
import { NameLookup } from './name-lookup.ts';
import { type PostOutcome, postEvents } from './post-events.ts';

/** What the client sends, and where it looks for its server. */
export interface TrafficOptions {
  /** DNS server, `host:port`. */
  readonly resolver: string;
  /** The name of the ingest service. */
  readonly name: string;
  readonly port: number;
  /** Events a second. */
  readonly rate: number;
  readonly keys: number;
  /** File to which the ledger is appended. */
  readonly ledgerPath: string;
  /** Connections at most; 8 when absent. */
  readonly connections?: number;
  /** How long an answer is waited for; 3 s when absent. */
  readonly requestTimeoutMs?: number;
}

/** Counts of events so far. `neverSent` could not be sent in time and stand in no ledger. */
export interface TrafficStats {
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly neverSent: number;
  /** When the last acknowledgement came, milliseconds since 1970. */
  readonly lastAckAtMs?: number;
  /** The region that gave it. */
  readonly by?: string;
}

/** Traffic that is running. */
export interface Traffic {
  stats(): TrafficStats;
  /** Ends it: what is in flight is awaited, then each key gets one last event, then the ledger is closed. */
  stop(): Promise<TrafficStats>;
}

const tickMs = 20;
/** An event that could not be sent this long after it was made is given up. */
const expireMs = 2_000;
/** A connection takes no new request after this time, so that a change of the name is followed within a second. */
const connectionLifeMs = 900;
/** After a failed request a connection's slot rests. */
const restMs = 250;
/** The last events wait at most this long for a server. */
const lastEventsMs = 10_000;

/** Starts to send events at an even rate and goes on until `stop`. */
export async function startTraffic(options: TrafficOptions): Promise<Traffic> {
  const client = new TrafficClient(options, await LedgerWriter.open(options.ledgerPath));
  client.start();
  return client;
}

interface Slot {
  agent: Agent | undefined;
  address: string;
  bornMs: number;
  busy: boolean;
  restUntilMs: number;
}

class TrafficClient implements Traffic {
  readonly #options: TrafficOptions;
  readonly #ledger: LedgerWriter;
  readonly #queues: KeyQueues;
  readonly #lookup: NameLookup;
  readonly #slots: Slot[];
  readonly #counts = { sent: 0, acknowledged: 0, refused: 0, unknown: 0 };
  #lastAck: { lastAckAtMs?: number; by?: string } = {};
  #timer: NodeJS.Timeout | undefined;
  #lastTickMs = 0;
  #due = 0;
  #creating = true;
  #stopped: Promise<TrafficStats> | undefined;

  constructor(options: TrafficOptions, ledger: LedgerWriter) {
    this.#options = options;
    this.#ledger = ledger;
    this.#queues = new KeyQueues(`k${randomBytes(3).toString('hex')}`, options.keys);
    this.#lookup = new NameLookup(options.resolver, options.name, () => performance.now());
    this.#slots = Array.from({ length: options.connections ?? 8 }, () => ({
      agent: undefined,
      address: '',
      bornMs: 0,
      busy: false,
      restUntilMs: 0,
    }));
  }

  start(): void {
    this.#lastTickMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  stats(): TrafficStats {
    return { ...this.#counts, neverSent: this.#queues.forgotten, ...this.#lastAck };
  }

  stop(): Promise<TrafficStats> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<TrafficStats> {
    this.#creating = false;
    await this.#drained();
    this.#queues.createForEveryKey(performance.now() + lastEventsMs);
    await this.#drained();
    clearInterval(this.#timer);
    for (const slot of this.#slots) slot.agent?.destroy();
    await this.#ledger.close();
    return this.stats();
  }

  /** Events expire and requests time out, so this ends. */
  async #drained(): Promise<void> {
    while (this.#queues.waiting > 0 || this.#slots.some((slot) => slot.busy)) await sleep(tickMs);
  }

  #tick(): void {
    const now = performance.now();
    if (this.#creating) {
      // After a pause of this process at most half a second is made up for.
      const elapsedMs = Math.min(now - this.#lastTickMs, 500);
      this.#due += (elapsedMs * this.#options.rate) / 1_000;
      this.#queues.create(Math.floor(this.#due), now + expireMs);
      this.#due %= 1;
    }
    this.#lastTickMs = now;
    this.#queues.expire(now);
    for (const slot of this.#slots) {
      if (slot.busy) continue;
      if (slot.agent !== undefined && now - slot.bornMs > connectionLifeMs) closeSlot(slot);
      if (this.#queues.waiting > 0 && slot.restUntilMs <= now) void this.#use(slot);
    }
  }

  /** Sends the next events through a slot, with a new connection where the old one has lived long enough. */
  async #use(slot: Slot): Promise<void> {
    slot.busy = true;
    try {
      if (slot.agent === undefined) {
        const address = await this.#lookup.address();
        if (address === undefined) {
          slot.restUntilMs = performance.now() + restMs;
          return;
        }
        slot.agent = new Agent({ keepAlive: true, maxSockets: 1 });
        slot.address = address;
        slot.bornMs = performance.now();
      }
      const events = this.#queues.take(maxEventsPerRequest, performance.now());
      if (events.length === 0) return;
      const sentAtMs = Date.now();
      const outcome = await postEvents(events, {
        agent: slot.agent,
        address: slot.address,
        port: this.#options.port,
        timeoutMs: this.#options.requestTimeoutMs ?? 3_000,
        now: Date.now,
      });
      const acknowledged = this.#settle(events, sentAtMs, outcome);
      if (acknowledged === 0) {
        closeSlot(slot);
        slot.restUntilMs = performance.now() + restMs;
      }
    } finally {
      slot.busy = false;
    }
  }

  /** Writes the ledger and counts; gives how many were acknowledged. */
  #settle(events: readonly LabEvent[], sentAtMs: number, outcome: PostOutcome): number {
    const { answeredAtMs, by } = outcome;
    const answer = { ...(answeredAtMs !== undefined && { answeredAtMs }), ...(by !== undefined && { by }) };
    let acknowledged = 0;
    for (const event of events) {
      const status = outcome.statusOf(event);
      this.#ledger.add({ ...event, sentAtMs, ...answer, status });
      this.#counts.sent++;
      this.#counts[status]++;
      if (status === 'acknowledged') acknowledged++;
    }
    if (acknowledged > 0 && answeredAtMs !== undefined) {
      this.#lastAck = { lastAckAtMs: answeredAtMs, ...(by !== undefined && { by }) };
    }
    this.#queues.release(events);
    return acknowledged;
  }
}

function closeSlot(slot: Slot): void {
  slot.agent?.destroy();
  slot.agent = undefined;
}
