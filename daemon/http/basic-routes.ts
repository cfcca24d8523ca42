import { z } from 'zod';
import { jsonAnswer, jsonType, type Route } from './route.ts';

/** What every daemon serves, asked at each request. */
export interface Pages {
  /** Prometheus' text format. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** `ok: false` answers 503: what runs is stuck, a restart is due. */
  health(): { readonly ok: boolean } & Readonly<Record<string, unknown>>;
  /** False answers 503: it has not begun its work yet. */
  ready(): boolean;
}

const okSchema = z.object({ ok: z.boolean() });

/** For Prometheus, Kubernetes and whoever restarts daemons. `terse`: what anybody may ask says nothing of the platform. */
export function basicRoutes(pages: Pages, { terse }: { readonly terse: boolean }): readonly Route[] {
  const probe = (description: string) => ({ description, type: jsonType, schema: okSchema });
  return [
    {
      method: 'GET',
      path: '/metrics',
      access: 'read',
      summary: 'What docs/metrics.md describes, for Prometheus',
      answers: {
        200: { description: "Prometheus' text format", type: 'text/plain' },
        500: { description: 'They could not be rendered', type: jsonType },
      },
      async handle() {
        const { contentType, body } = await pages.metrics();
        return { status: 200, type: contentType, body };
      },
    },
    {
      method: 'GET',
      path: '/healthz',
      access: 'open',
      summary: 'Whether the daemon lives: for a liveness probe',
      answers: { 200: probe('It does'), 503: probe('It is stuck: restart it') },
      handle() {
        const health = pages.health();
        return jsonAnswer(health.ok ? 200 : 503, terse ? { ok: health.ok } : health);
      },
    },
    {
      method: 'GET',
      path: '/readyz',
      access: 'open',
      summary: 'Whether the daemon has begun its work: for a readiness probe',
      answers: { 200: probe('It has'), 503: probe('It has not read the roles yet') },
      handle() {
        const ok = pages.ready();
        return jsonAnswer(ok ? 200 : 503, { ok });
      },
    },
  ];
}
