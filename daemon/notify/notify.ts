import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { describeError } from '../../domain/errors.ts';
import type { NotifyTopic } from '../../domain/notify-config.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { Log } from '../log.ts';
import type { MakeService } from '../service.ts';
import type { ChannelRequest, Envelope } from './channel-request.ts';
import { type DeliveryLimits, deliver, usualLimits } from './deliver.ts';
import { type Message, type MessageSeverity, messagesOf } from './message.ts';
import { emptyOutbox, type Outbox, post } from './outbox.ts';

/** Who is told, and how. */
export interface Channel {
  readonly name: string;
  readonly kind: 'slack' | 'pagerduty' | 'webhook';
  readonly tell: readonly NotifyTopic[];
  readonly atLeast: MessageSeverity;
  requestOf(message: Message, envelope: Envelope): ChannelRequest;
}

export interface NotifyParts {
  readonly channels: readonly Channel[];
  /** What tells this pair of regions from others. */
  readonly source: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'notified'>;
  /** Goes on where another's place was, and with what waited there. Absent: from the first event on. */
  readonly backlog?: NotifyBacklog;
  readonly limits?: DeliveryLimits;
  /** How long a daemon that doesn't lead keeps a message: should the one that leads have died, it is told by the next. */
  readonly holdMs?: number;
}

/** What is still to be told, and up to which event all was taken in: outlives an exchange of the channels. */
export interface NotifyBacklog {
  /** The id of the last event that was taken in. */
  seen: number;
  readonly outboxes: Map<string, Outbox>;
  /** When a message came, and whether this daemon led then. */
  readonly came: WeakMap<Message, { readonly at: number; readonly own: boolean }>;
}

/** Nothing was taken in yet. */
export const newBacklog = (): NotifyBacklog => ({ seen: 0, outboxes: new Map(), came: new WeakMap() });

/** How long the last messages have when the daemon stops. */
const graceMs = 3_000;
/** Longer than a lease outlives its holder. */
const usualHoldMs = 30_000;
/** How often a daemon that doesn't lead looks whether it does. */
const lookMs = 500;
const ranks = { info: 0, warning: 1, critical: 2 } as const;

/** Whether a channel is told of it: also that a matter is over which it was told of. Pure. */
export function isFor({ tell, atLeast }: Pick<Channel, 'tell' | 'atLeast'>, message: Message): boolean {
  return tell.includes(message.topic) && (message.state === 'closed' || ranks[message.severity] >= ranks[atLeast]);
}

/**
 * Tells every channel what happens, in order, from the daemon that leads. Nothing waits for it: events are taken in at
 * once, and sent beside everything else.
 */
export function notify(parts: NotifyParts): MakeService {
  const { channels, source, clock, log, metrics, limits = usualLimits, holdMs = usualHoldMs } = parts;
  const { backlog = newBacklog() } = parts;
  const { outboxes, came } = backlog;
  for (const { name } of channels)
    for (const outcome of ['sent', 'failed', 'dropped'] as const) metrics.notified(name, outcome, 0);

  return ({ events, leads }) => {
    for (const name of [...outboxes.keys()]) if (!channels.some((c) => c.name === name)) outboxes.delete(name);

    const take = (wake: () => void) => {
      for (const { id, event } of events.after(backlog.seen)) {
        backlog.seen = id;
        for (const message of messagesOf(event)) {
          came.set(message, { at: clock.monotonic(), own: leads() });
          for (const channel of channels.filter((c) => isFor(c, message))) {
            const { outbox, dropped } = post(outboxes.get(channel.name) ?? emptyOutbox, message);
            outboxes.set(channel.name, outbox);
            for (const m of dropped) if (came.get(m)?.own) metrics.notified(channel.name, 'dropped');
          }
        }
      }
      wake();
    };

    async function work(channel: Channel, news: () => Promise<void>, stop: AbortSignal, hard: AbortSignal) {
      let failing = false;
      /** What wasn't told when the time was up: for whoever comes next, if anybody does. */
      const left: Message[] = [];
      for (;;) {
        const box = outboxes.get(channel.name) ?? emptyOutbox;
        const [message, ...rest] = box.waiting;
        if (message === undefined) {
          if (stop.aborted) {
            outboxes.set(channel.name, { ...box, waiting: left });
            return;
          }
          await news();
          continue;
        }
        const { at, own } = came.get(message) ?? { at: 0, own: true };
        const held = !own && !leads() && clock.monotonic() - at < holdMs;
        if (held && !stop.aborted) {
          await clock.sleep(lookMs, stop).catch(() => undefined);
          continue;
        }
        outboxes.set(channel.name, { ...box, waiting: rest });
        if (held || hard.aborted) {
          left.push(message);
          continue;
        }
        // The one that led has told it.
        if (!own && !leads()) continue;
        try {
          const envelope = { id: randomUUID(), source, sentAtMs: clock.now() };
          await deliver(channel.requestOf(message, envelope), limits, clock, hard);
          metrics.notified(channel.name, 'sent');
          if (failing) log.info({ channel: channel.name }, `${channel.name} can be told again`);
          failing = false;
        } catch (error) {
          if (hard.aborted) {
            left.push(message);
            continue;
          }
          metrics.notified(channel.name, 'failed');
          if (failing) continue;
          failing = true;
          const why = describeError(error);
          log.warn(
            { channel: channel.name },
            `${channel.name} was not told "${message.title}": ${why}; others may follow`,
          );
        }
      }
    }

    return {
      name: 'notifications',
      async run(signal) {
        const hard = new AbortController();
        const waiters: (() => void)[] = [];
        const wake = () => {
          for (const waiter of waiters.splice(0)) waiter();
        };
        const news = () => new Promise<void>((resolve) => void waiters.push(resolve));
        const unsubscribe = events.subscribe(() => take(wake));
        const ended = new AbortController();
        const onStop = () => {
          wake();
          const grace = clock.sleep(graceMs, ended.signal);
          void grace.then(() => hard.abort()).catch(() => undefined);
        };
        signal.addEventListener('abort', onStop, { once: true });
        try {
          take(wake);
          await Promise.all(channels.map((channel) => work(channel, news, signal, hard.signal)));
          // Without channels, too, events are taken in: later ones are told of what happens from then on.
          while (!signal.aborted) await news();
        } finally {
          unsubscribe();
          signal.removeEventListener('abort', onStop);
          ended.abort();
        }
      },
    };
  };
}
