import { z } from 'zod';

const text = z.string().max(65_536);
const texts = z.record(z.string(), text);

/**
 * What Alertmanager posts to a webhook: a group of alerts, also those of it that ended since. Keys that are not used
 * here are passed over. Source: Alertmanager's documentation, configuration, `webhook_config`, version 4.
 */
export const webhookSchema = z.object({
  version: z.literal('4'),
  /** Of the group: the same as long as it lasts. */
  groupKey: text.min(1),
  status: z.enum(['firing', 'resolved']),
  receiver: text.optional(),
  groupLabels: texts.optional(),
  commonLabels: texts.optional(),
  externalURL: text.optional(),
  /** How many alerts were left out, by `max_alerts`. */
  truncatedAlerts: z.int().min(0).optional(),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: texts,
        annotations: texts.optional(),
        startsAt: text.optional(),
        endsAt: text.optional(),
        /** Of the labels: the same as long as the alert lasts. */
        fingerprint: text.min(1),
      }),
    )
    .max(10_000),
});

/** One message of Alertmanager. */
export type AlertMessage = z.output<typeof webhookSchema>;
