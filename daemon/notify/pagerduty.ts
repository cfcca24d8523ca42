import type { ChannelRequest, Envelope } from './channel-request.ts';
import type { Message } from './message.ts';

const summaryLimit = 1_024;
const keyLimit = 255;

/**
 * An alert for what somebody has to look at, with one key a matter, so that it is resolved by what closes it; a change
 * event, which pages nobody, for the rest. Source: PagerDuty's developer documentation, "Events API v2".
 * Pure.
 */
export function pagerDutyRequest(
  message: Message,
  { source }: Envelope,
  { routingKey, url }: { readonly routingKey: string; readonly url: string },
): ChannelRequest {
  const headers = { 'content-type': 'application/json' };
  const root = url.replace(/\/+$/, '');
  const summary = `${message.title}`.slice(0, summaryLimit);
  const timestamp = new Date(message.atMs).toISOString();
  const details = { ...(message.lines.length === 0 ? {} : { what: message.lines.join('\n') }), topic: message.topic };
  if (message.state === 'note') {
    const payload = { summary, timestamp, source, custom_details: details };
    return { url: `${root}/v2/change/enqueue`, headers, body: JSON.stringify({ routing_key: routingKey, payload }) };
  }
  const key = `argus/${source}/${message.key}`.slice(0, keyLimit);
  const event = {
    routing_key: routingKey,
    event_action: message.state === 'open' ? 'trigger' : 'resolve',
    dedup_key: key,
    client: 'Argus',
    payload: {
      summary,
      source,
      severity: message.severity,
      timestamp,
      component: 'argus',
      class: message.key.split('/')[0],
      custom_details: details,
    },
  };
  return { url: `${root}/v2/enqueue`, headers, body: JSON.stringify(event) };
}
