import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { EventStatus, LabEvent } from '../ingest/event.ts';

/** What became of one event that was sent, as its client saw it. Times are milliseconds since 1970. */
export interface LedgerEntry extends LabEvent {
  readonly sentAtMs: number;
  /** When the answer came; absent where none came. */
  readonly answeredAtMs?: number;
  readonly status: EventStatus;
  /** The region that answered. */
  readonly by?: string;
}

const flushMs = 200;

/** Appends entries to a file of JSON lines: buffered, written every 200 ms and at the end. */
export class LedgerWriter {
  readonly #file: FileHandle;
  readonly #timer: NodeJS.Timeout;
  #lines: string[] = [];
  #writing: Promise<void> = Promise.resolve();
  #error: unknown;

  private constructor(file: FileHandle) {
    this.#file = file;
    this.#timer = setInterval(() => this.#flush(), flushMs);
  }

  /** Opens the file for appending and makes it when it isn't there. */
  static async open(path: string): Promise<LedgerWriter> {
    return new LedgerWriter(await open(path, 'a'));
  }

  add(entry: LedgerEntry): void {
    this.#lines.push(JSON.stringify(entry));
  }

  /** Writes what is left and closes the file; rejects when any write failed. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#flush();
    await this.#writing;
    await this.#file.close();
    if (this.#error !== undefined) throw this.#error;
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#writing = this.#writing
      .then(async () => {
        await this.#file.appendFile(text);
      })
      .catch((error: unknown) => {
        this.#error ??= error;
      });
  }
}

/** All entries of a ledger in the order of their answers. A last line that was cut off in writing is left out. */
export async function readLedger(path: string): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  let broken: number | undefined;
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    if (text === '') continue;
    if (broken !== undefined) throw new Error(`${path}, line ${broken}: not an entry of a ledger`);
    try {
      entries.push(JSON.parse(text) as LedgerEntry);
    } catch {
      broken = line;
    }
  }
  return entries;
}
