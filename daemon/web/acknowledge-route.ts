import { z } from 'zod';
import type { Clock } from '../../domain/clock.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { acknowledgeAutomatic } from '../acknowledge-automatic.ts';
import { jsonAnswer, jsonType, type Route } from '../http/route.ts';

const bodySchema = z.strictObject({
  /** Who says so, for those who read it later: the token tells only that he may. */
  by: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(1_000).exactOptional(),
});

const answerSchema = bodySchema.extend({
  atMs: z.number(),
  /** After these it may act again. */
  run: z.string().exactOptional(),
  rolesEpoch: z.number().exactOptional(),
});

/** What `argus automatic ack` does, over HTTP. */
export function acknowledgeRoute(state: ObjectStore, clock: Clock): Route {
  return {
    method: 'POST',
    path: '/api/v1/automatic/acknowledge',
    access: 'act',
    summary: 'Ends the anti-flap period after the last run or change of roles, as `argus automatic ack` does',
    body: bodySchema,
    answers: { 200: { description: 'What is kept', type: jsonType, schema: answerSchema } },
    async handle({ body, signal }) {
      const { by, ...reason } = body as z.output<typeof bodySchema>;
      const word = { atMs: clock.now(), by: `${by} over HTTP`, ...reason };
      return jsonAnswer(200, await acknowledgeAutomatic(state, word, { signal }));
    },
  };
}
