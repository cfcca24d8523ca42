import type { Clock } from '../../domain/clock.ts';
import type { Answer, Sink } from '../http/route.ts';
import type { Service } from '../service.ts';
import { every } from '../supervise.ts';

/** What goes to all who listen: each text is made once. */
export interface Stream {
  /** `first`: what a new listener gets at once. More listeners than the bound: undefined. */
  open(first: () => string): Answer | undefined;
  send(text: string): void;
  readonly listeners: number;
  /** Keeps the connections open over proxies that close silent ones; when it ends, they end. */
  readonly service: Service;
}

const keepAliveMs = 15_000;
/** Who has taken so little of what came is not waited for; he comes again by himself. */
const waitingBytes = 1024 * 1024;

/** A stream of server-sent events to at most so many listeners. Source: HTML standard, 9.2. */
export function eventStream(name: string, clock: Clock, atMost: number): Stream {
  const sinks = new Set<Sink>();
  function send(text: string): void {
    for (const sink of sinks) {
      if (sink.waitingBytes > waitingBytes) {
        sinks.delete(sink);
        sink.end();
      } else sink.write(text);
    }
  }
  return {
    open(first) {
      if (sinks.size >= atMost) return undefined;
      return {
        type: 'text/event-stream',
        stream(sink) {
          sinks.add(sink);
          sink.write(`retry: 2000\n\n${first()}`);
          return () => void sinks.delete(sink);
        },
      };
    },
    send,
    get listeners() {
      return sinks.size;
    },
    service: {
      name,
      async run(signal) {
        await every(keepAliveMs, async () => send(': still here\n\n'), clock, signal);
        for (const sink of sinks) sink.end();
        sinks.clear();
      },
    },
  };
}

/** One event; the data is JSON, which has no line breaks. */
export function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
