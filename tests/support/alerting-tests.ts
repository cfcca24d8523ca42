import { describeError } from '../../domain/errors.ts';
import { type AlertingTools, ensureAlertingTools } from '../../lab/setup/prometheus.ts';

/** Prometheus and Alertmanager, or why this machine has none. */
export async function alertingTools(): Promise<
  { readonly kind: 'there'; readonly tools: AlertingTools } | { readonly kind: 'missing'; readonly why: string }
> {
  try {
    return { kind: 'there', tools: await ensureAlertingTools(AbortSignal.timeout(110_000)) };
  } catch (error) {
    return { kind: 'missing', why: describeError(error).split('\n')[0] ?? '' };
  }
}
