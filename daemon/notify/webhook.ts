import { createHmac } from 'node:crypto';
import type { ChannelRequest, Envelope } from './channel-request.ts';
import type { Message } from './message.ts';

export interface WebhookTarget {
  readonly url: string;
  readonly secret?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** JSON for anybody, signed. Source: the Standard Webhooks specification 1.0 (headers `webhook-*`, symmetric signature). Pure. */
export function webhookRequest(message: Message, envelope: Envelope, target: WebhookTarget): ChannelRequest {
  const { id, source, sentAtMs } = envelope;
  const { topic, key, state, severity, title, lines, atMs, event } = message;
  const body = JSON.stringify({
    version: 1,
    type: `argus.${event?.kind ?? topic}`,
    timestamp: new Date(atMs).toISOString(),
    data: { source, topic, key, state, severity, title, lines, ...(event === undefined ? {} : { event }) },
  });
  const timestamp = String(Math.floor(sentAtMs / 1_000));
  const { secret } = target;
  const signature = secret === undefined ? {} : { 'webhook-signature': sign(`${id}.${timestamp}.${body}`, secret) };
  return {
    url: target.url,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      ...signature,
      ...target.headers,
    },
    body,
  };
}

/** A secret `whsec_…` is base64 of the key; any other is the key itself. */
function sign(content: string, secret: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8');
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}
