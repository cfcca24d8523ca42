import { randomUUID } from 'node:crypto';
import { deliver, usualLimits } from '../../daemon/notify/deliver.ts';
import type { Message } from '../../daemon/notify/message.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { CommandContext } from '../context.ts';
import { openChannels } from '../open-channels.ts';

/** `argus notify test [--channel <name>]`: exit code 1 when a channel did not take it. */
export async function run(context: CommandContext, options: { readonly channel?: string }): Promise<number> {
  const { config, folder } = await context.loadConfig();
  const { source, channels } = await openChannels(config, folder, context.env);
  const chosen = channels.filter((c) => options.channel === undefined || c.name === options.channel);
  if (chosen.length === 0) {
    const message =
      options.channel === undefined ? 'no channel is configured' : `no channel is called ${options.channel}`;
    throw new ArgusError('NoChannel', message, { exitCode: 2, hint: 'see notify in docs/notifications.md' });
  }
  const results = await Promise.all(
    chosen.map(async (channel) => {
      try {
        // An alert and its end, so that it is seen whether somebody would be paged.
        for (const message of testMessages(context)) {
          const envelope = { id: randomUUID(), source, sentAtMs: context.clock.now() };
          const limits = { ...usualLimits, retries: 0 };
          await deliver(channel.requestOf(message, envelope), limits, context.clock, context.signal);
        }
        return { channel: channel.name, kind: channel.kind, ok: true };
      } catch (error) {
        context.signal.throwIfAborted();
        return { channel: channel.name, kind: channel.kind, ok: false, why: describeError(error) };
      }
    }),
  );
  if (context.json) context.print(JSON.stringify({ channels: results }));
  else for (const r of results) context.print(`${r.channel}  ${r.kind}  ${r.ok ? 'told' : `not told: ${r.why}`}`);
  return results.every((r) => r.ok) ? 0 : 1;
}

function testMessages({ clock, who }: CommandContext): readonly Message[] {
  const common = { topic: 'verdicts', key: 'test', severity: 'info', atMs: clock.now() } as const;
  const lines = [`Sent by ${who} with argus notify test. Nothing is wrong.`];
  return [
    { ...common, state: 'open', title: 'Argus: a test', lines },
    { ...common, state: 'closed', title: 'Argus: the test is over', lines },
  ];
}
