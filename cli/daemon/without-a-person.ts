import type { Log } from '../../daemon/log.ts';
import type { CommandContext } from '../context.ts';

/** What a command gets that a daemon carries out itself: nobody to ask, and what it says goes into the log. */
export function withoutAPerson(context: CommandContext, log: Log, who: string, signal: AbortSignal): CommandContext {
  const { SSH_CONNECTION: _, ...env } = context.env;
  // A daemon that was started at a terminal logs there: nothing is drawn over that.
  const { screen: __, ...unseen } = context;
  return {
    ...unseen,
    env,
    signal,
    who,
    json: true,
    terminal: false,
    interactive: false,
    print: (text) => log.debug({}, text.trim()),
    tell: (text) => log.info({}, text.trim()),
  };
}
