import { z } from 'zod';
import { secretRef, serviceUrl } from './config-values.ts';

/** What is told: `steps` are those of every run. */
const topics = ['verdicts', 'decisions', 'runs', 'steps'] as const;

const header = z.string().regex(/^[A-Za-z0-9-]+$/, 'the name of a header');

const channel = z
  .strictObject({
    /** In logs and metrics. */
    name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens'),
    /** An incoming webhook of Slack's; its URL is a secret. */
    slack: z.strictObject({ url: secretRef }).optional(),
    /** A service of PagerDuty's with an integration of Events API v2. */
    pagerduty: z
      .strictObject({
        routingKey: secretRef,
        /** `https://events.eu.pagerduty.com` for accounts in the EU. */
        url: serviceUrl.default('https://events.pagerduty.com'),
      })
      .optional(),
    /** Anybody who takes JSON by POST. */
    webhook: z
      .strictObject({
        url: z.union([secretRef, serviceUrl]),
        /** Signs each request, as standardwebhooks.com has it; absent: unsigned. */
        secret: secretRef.optional(),
        secretHeaders: z.record(header, secretRef).default({}),
      })
      .optional(),
    /** What it is told of. */
    tell: z.array(z.enum(topics)).min(1).default(['verdicts', 'decisions', 'runs']),
    /** Nothing below this is told. */
    atLeast: z.enum(['info', 'warning', 'critical']).default('info'),
  })
  .superRefine(({ slack, pagerduty, webhook }, ctx) => {
    if ([slack, pagerduty, webhook].filter((c) => c !== undefined).length === 1) return;
    ctx.addIssue({ code: 'custom', message: 'exactly one of slack, pagerduty and webhook is needed' });
  });

/** Who is told what happens. */
export const notifySection = z
  .strictObject({
    /** What tells this pair of regions from others in the same channel; absent: the names of the regions. */
    source: z.string().min(1).optional(),
    channels: z.array(channel).default([]),
  })
  .prefault({})
  .superRefine(({ channels }, ctx) => {
    channels.forEach(({ name }, i) => {
      if (channels.findIndex((c) => c.name === name) < i)
        ctx.addIssue({ code: 'custom', path: ['channels', i, 'name'], message: `two channels are called "${name}"` });
    });
  });

export type NotifyChannelConfig = z.output<typeof channel>;
export type NotifyTopic = (typeof topics)[number];
