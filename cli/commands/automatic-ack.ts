import { acknowledgeAutomatic } from '../../daemon/acknowledge-automatic.ts';
import type { CommandContext } from '../context.ts';
import { withState } from '../session.ts';

/** `argus automatic ack`: ends the anti-flap period after the last run or change of roles. */
export async function run(context: CommandContext, options: { readonly reason?: string }): Promise<number> {
  return withState(context, async (state) => {
    const { clock, who, signal } = context;
    const reason = options.reason?.trim();
    const word = { atMs: clock.now(), by: who, ...(reason === undefined || reason === '' ? {} : { reason }) };
    const ack = await acknowledgeAutomatic(state, word, { signal });
    context.print(context.json ? JSON.stringify(ack) : 'automatic mode may act again after what happened until now');
    return 0;
  });
}
