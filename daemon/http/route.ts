import type { z } from 'zod';

/** Who may ask: anybody; whoever may read; whoever may change something. */
export type RouteAccess = 'open' | 'read' | 'act';

/** A request as a route sees it: it has passed the bounds on size, type and right. */
export interface Asked {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON, and checked against the route's `body`; undefined without one. */
  readonly body: unknown;
  /** `If-None-Match`. */
  readonly etag: string | undefined;
  /** Aborted when the client is gone, or its time is up. */
  readonly signal: AbortSignal;
}

/** A reply that goes on until one side ends it. */
export interface Sink {
  /** Bytes that the client has not taken yet. */
  readonly waitingBytes: number;
  write(text: string): void;
  end(): void;
}

export type Answer =
  | {
      readonly status: number;
      readonly type: string;
      readonly body: string;
      /** For `If-None-Match`; absent: the answer is not to be kept. */
      readonly etag?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'text/event-stream';
      /** Begins to write; what it gives is called when the client is gone. */
      readonly stream: (sink: Sink) => () => void;
    };

/** What one status code of a route means. */
export interface AnswerKind {
  readonly description: string;
  readonly type: string;
  /** Of a JSON answer. Readers pass over keys that they don't know. */
  readonly schema?: z.ZodType;
}

/** One endpoint: the server registers it, and the OpenAPI document describes it, from this alone. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/api/v1/runs/{run}` */
  readonly path: string;
  readonly access: RouteAccess;
  readonly summary: string;
  readonly answers: Readonly<Record<number, AnswerKind>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: z.ZodType;
  handle(asked: Asked): Answer | Promise<Answer>;
}

/** An answer in JSON, made now. */
export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, type: jsonType, body: `${JSON.stringify(value)}\n` };
}

export const jsonType = 'application/json; charset=utf-8';
