import { expect, test } from 'vitest';
import { openChannels } from '../../../cli/open-channels.ts';
import type { Message } from '../../../daemon/notify/message.ts';
import type { Config } from '../../../domain/config.ts';
import { notifySection } from '../../../domain/notify-config.ts';

const env = { SLACK: 'https://hooks.example/T0/hidden', PD: 'hidden-key', WRONG: 'hidden nonsense' };
const regions = { singapore: {}, mumbai: {} } as unknown as Config['regions'];
const open = (notify: unknown) => openChannels({ notify: notifySection.parse(notify), regions }, '/', env);
const message: Message = { topic: 'runs', key: 'k', state: 'note', severity: 'info', title: 't', lines: [], atMs: 0 };

test('reads every secret, and keeps each where only its request shows it', async () => {
  const { source, channels } = await open({
    channels: [
      { name: 'team', slack: { url: 'env:SLACK' } },
      { name: 'pager', pagerduty: { routingKey: 'env:PD' }, atLeast: 'critical' },
      {
        name: 'audit',
        webhook: { url: 'https://a.example', secretHeaders: { authorization: 'env:PD' } },
        tell: ['runs'],
      },
    ],
  });
  expect(source).toBe('mumbai-singapore');
  expect(channels.map((c) => [c.name, c.kind, c.tell.length, c.atLeast])).toEqual([
    ['team', 'slack', 3, 'info'],
    ['pager', 'pagerduty', 3, 'critical'],
    ['audit', 'webhook', 1, 'info'],
  ]);
  expect(JSON.stringify(channels)).not.toContain('hidden');
  const envelope = { id: 'i', source, sentAtMs: 0 };
  expect(channels.map((c) => c.requestOf(message, envelope).url)).toEqual([
    env.SLACK,
    'https://events.pagerduty.com/v2/change/enqueue',
    'https://a.example',
  ]);
});

test('refuses a secret that is no URL, and names only its reference', async () => {
  const opened = open({ channels: [{ name: 'team', slack: { url: 'env:WRONG' } }] });
  await expect(opened).rejects.toMatchObject({ code: 'SecretInvalid', exitCode: 2 });
  await expect(opened).rejects.toThrow(/^the secret env:WRONG is no URL/);
});

test.each([
  ['a channel of two kinds', [{ name: 'a', slack: { url: 'env:A' }, webhook: { url: 'https://x' } }], /exactly one/],
  ['a channel of none', [{ name: 'a' }], /exactly one/],
  ['two channels of one name', ['a', 'a'].map((name) => ({ name, slack: { url: 'env:A' } })), /two channels/],
  ['a URL of Slack that is not a reference', [{ name: 'a', slack: { url: 'https://hooks' } }], /a reference/],
])('refuses %s', (_what, channels, why) => {
  expect(() => notifySection.parse({ channels })).toThrow(why);
});
