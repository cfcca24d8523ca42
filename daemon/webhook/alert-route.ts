import { z } from 'zod';
import { jsonAnswer, jsonType, type Route } from '../http/route.ts';
import { statusSchema } from '../web/status-schema.ts';
import { type AlertMessage, webhookSchema } from './alertmanager.ts';
import type { AlertAnswer, AlertDesk } from './desk.ts';

const reason = z.object({ code: z.string(), message: z.string() });

const answerSchema: z.ZodType<AlertAnswer> = z.object({
  received: z.number(),
  action: z.enum(['none', 'check', 'propose', 'act']),
  result: z.enum(['counted', 'checked', 'proposed', 'begun', 'not-begun', 'repeat', 'limited', 'failed']),
  sentence: z.string(),
  status: statusSchema.exactOptional(),
  proposal: z.object({ sentence: z.string(), command: z.string(), blockers: z.array(reason) }).exactOptional(),
  automatic: z
    .object({ kind: z.enum(['act', 'advise', 'wait', 'idle']), sentence: z.string(), reasons: z.array(reason) })
    .exactOptional(),
});

/** Where Alertmanager sends alerts. What failed on this side is 503: Alertmanager sends it again. */
export function alertRoute(desk: AlertDesk): Route {
  return {
    method: 'POST',
    path: '/api/v1/alerts',
    access: 'act',
    summary: "Alertmanager's webhook (version 4): looks, proposes or asks automatic mode, by `alerts.rules`",
    body: webhookSchema,
    answers: {
      200: { description: 'What became of it', type: jsonType, schema: answerSchema },
      503: { description: 'It could not be answered now', type: jsonType, schema: answerSchema },
    },
    async handle({ body, signal }) {
      const answer = await desk.answer(body as AlertMessage, signal);
      return jsonAnswer(answer.result === 'failed' ? 503 : 200, answer);
    },
  };
}
