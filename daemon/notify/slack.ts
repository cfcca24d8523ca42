import type { ChannelRequest, Envelope } from './channel-request.ts';
import type { Message } from './message.ts';

const marks = { info: ':information_source:', warning: ':warning:', critical: ':rotating_light:' } as const;
/** Slack cuts longer texts. */
const textLimit = 3_000;

/** For an incoming webhook. Source: Slack's documentation, "Sending messages using incoming webhooks", "Formatting text". Pure. */
export function slackRequest(message: Message, { source }: Envelope, url: string): ChannelRequest {
  const mark = message.state === 'closed' ? ':white_check_mark:' : marks[message.severity];
  const text = [`${mark} *${escaped(message.title)}*  (${escaped(source)})`, ...message.lines.map(escaped)].join('\n');
  return {
    url,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: text.length > textLimit ? `${text.slice(0, textLimit)} …` : text }),
  };
}

/** The three characters that mean something to Slack. */
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
