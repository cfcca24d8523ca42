import type { Message } from './message.ts';

/** What waits for one channel, and what it was told last. */
export interface Outbox {
  readonly waiting: readonly Message[];
  /** The newest message of each matter that was taken in. */
  readonly told: ReadonlyMap<string, Pick<Message, 'state' | 'title' | 'atMs'>>;
}

export const emptyOutbox: Outbox = { waiting: [], told: new Map() };

/** How many messages wait at most. */
export const outboxLimit = 200;
/** The same word on the same matter is not repeated for so long. */
const repeatAfterMs = 600_000;
const rememberedMatters = 500;

export interface Posted {
  readonly outbox: Outbox;
  /** Did not fit: the oldest of those that matter least. */
  readonly dropped: readonly Message[];
}

/** Takes a message in behind those that wait; what was told of its matter just before is not said again. Pure. */
export function post({ waiting, told }: Outbox, message: Message): Posted {
  const key = `${message.topic} ${message.key}`;
  const last = told.get(key);
  const repeated =
    last?.state === message.state && last.title === message.title && message.atMs - last.atMs < repeatAfterMs;
  if (repeated) return { outbox: { waiting, told }, dropped: [] };
  const { state, title, atMs } = message;
  const remembered = [...told].filter(([k]) => k !== key).slice(1 - rememberedMatters);
  const all = [...waiting, message];
  const dropped = all.length <= outboxLimit ? [] : [leastOf(all)];
  return {
    outbox: {
      waiting: all.filter((m) => !dropped.includes(m)),
      told: new Map([...remembered, [key, { state, title, atMs }]]),
    },
    dropped,
  };
}

/** Steps go first, then notes, then what is closed; what somebody has to look at goes last. */
const worth = (m: Message) => (m.topic === 'steps' ? 0 : { note: 1, closed: 2, open: 3 }[m.state]);

function leastOf(messages: readonly Message[]): Message {
  return messages.reduce((least, m) => (worth(m) < worth(least) ? m : least));
}
