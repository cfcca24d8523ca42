/** One event of the lab's traffic. `id` is unique, `seq` grows within a key. */
export interface LabEvent {
  readonly id: string;
  readonly key: string;
  readonly seq: number;
}

/**
 * What became of one event: Kafka has it on all replicas (`acknowledged`), it surely never reached the log
 * (`refused`), or it may have (`unknown`).
 */
export type EventStatus = 'acknowledged' | 'refused' | 'unknown';

/** The answer for one event; partition and offset where it was acknowledged. */
export interface EventResult {
  readonly id: string;
  readonly status: EventStatus;
  readonly partition?: number;
  readonly offset?: number;
}

/** Most events in one request. */
export const maxEventsPerRequest = 50;

/** The name of a header with the time (milliseconds since 1970) after which the client no longer waits. */
export const deadlineHeader = 'x-deadline-ms';

/** The events in a request's body; throws an `Error` with what is wrong with it. */
export function parseEvents(text: string): LabEvent[] {
  const body: unknown = JSON.parse(text);
  if (!Array.isArray(body) || body.length === 0 || body.length > maxEventsPerRequest) {
    throw new Error(`the body is an array of 1 to ${maxEventsPerRequest} events`);
  }
  return body.map((item: unknown) => {
    const { id, key, seq } = (item ?? {}) as Partial<Record<keyof LabEvent, unknown>>;
    if (typeof id !== 'string' || id === '' || typeof key !== 'string' || key === '' || !Number.isSafeInteger(seq)) {
      throw new Error('an event is {id: text, key: text, seq: whole number}');
    }
    return { id, key, seq: seq as number };
  });
}
