import { type AlertingTools, alertingToolsMissing, ensureAlertingTools } from '../../lab/setup/prometheus.ts';

/** Prometheus and Alertmanager, or why this machine can have none. One that can and does not get them fails. */
export async function alertingTools(): Promise<
  { readonly kind: 'there'; readonly tools: AlertingTools } | { readonly kind: 'missing'; readonly why: string }
> {
  const why = await alertingToolsMissing(AbortSignal.timeout(20_000));
  if (why !== undefined) return { kind: 'missing', why };
  return { kind: 'there', tools: await ensureAlertingTools(AbortSignal.timeout(110_000)) };
}
