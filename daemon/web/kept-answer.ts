import { createHash } from 'node:crypto';
import { type Answer, jsonType } from '../http/route.ts';

/** Answers made once for all who ask, until what they are made of is exchanged. */
export function keptAnswer<T extends object>(type: string, make: (source: T) => string): (source: T) => Answer {
  let last: { readonly source: T; readonly answer: Answer } | undefined;
  return (source) => {
    if (last?.source !== source) {
      const body = make(source);
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
      last = { source, answer: { status: 200, type, body, etag } };
    }
    return last.answer;
  };
}

/** The same in JSON. */
export const keptJson = <T extends object>(make: (source: T) => unknown): ((source: T) => Answer) =>
  keptAnswer<T>(jsonType, (source) => `${JSON.stringify(make(source))}\n`);
