import type { Channel } from '../daemon/notify/notify.ts';
import { pagerDutyRequest } from '../daemon/notify/pagerduty.ts';
import { slackRequest } from '../daemon/notify/slack.ts';
import { webhookRequest } from '../daemon/notify/webhook.ts';
import type { Config } from '../domain/config.ts';
import { ArgusError } from '../domain/errors.ts';
import type { NotifyChannelConfig } from '../domain/notify-config.ts';
import { resolveSecret } from './config/load.ts';

/** Who is told, with every secret read: a missing one ends the command. */
export async function openChannels(
  { notify, regions }: Pick<Config, 'notify' | 'regions'>,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly source: string; readonly channels: readonly Channel[] }> {
  const secret = (reference: string) => resolveSecret(reference, folder, env);
  return {
    source: notify.source ?? Object.keys(regions).toSorted().join('-'),
    channels: await Promise.all(notify.channels.map((channel) => openChannel(channel, secret))),
  };
}

async function openChannel(
  { name, slack, pagerduty, webhook, tell, atLeast }: NotifyChannelConfig,
  secret: (reference: string) => Promise<string>,
): Promise<Channel> {
  const common = { name, tell, atLeast };
  if (slack) {
    const url = httpUrl(await secret(slack.url), slack.url);
    return { ...common, kind: 'slack', requestOf: (message, envelope) => slackRequest(message, envelope, url) };
  }
  if (pagerduty) {
    const to = { routingKey: await secret(pagerduty.routingKey), url: pagerduty.url };
    return { ...common, kind: 'pagerduty', requestOf: (message, envelope) => pagerDutyRequest(message, envelope, to) };
  }
  const { url = '', secret: key, secretHeaders = {} } = webhook ?? {};
  const headers = await Promise.all(
    Object.entries(secretHeaders).map(async ([header, ref]) => [header, await secret(ref)]),
  );
  const target = {
    url: /^(env|file):/.test(url) ? httpUrl(await secret(url), url) : url,
    ...(key === undefined ? {} : { secret: await secret(key) }),
    headers: Object.fromEntries(headers),
  };
  return { ...common, kind: 'webhook', requestOf: (message, envelope) => webhookRequest(message, envelope, target) };
}

/** A secret that has to be a URL; only its reference is told. */
function httpUrl(value: string, reference: string): string {
  if (/^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw new ArgusError('SecretInvalid', `the secret ${reference} is no URL that begins with https:// or http://`, {
    exitCode: 2,
    hint: `put the URL that the service gave you behind ${reference}`,
  });
}
