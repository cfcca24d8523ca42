import { collectStatus } from '../../health/collect-status.ts';
import { formatMs } from '../../health/render-status.ts';
import { assembleStatus } from '../../health/status.ts';
import type { CommandContext } from '../context.ts';
import { withComposition } from '../session.ts';

/** `argus mirror status`: the mirror's part of the status. Exit code 1 when a lag can't be told. */
export async function run(context: CommandContext): Promise<number> {
  return withComposition(context, async ({ config, regions, names, state }) => {
    const { clock, signal } = context;
    const facts = await collectStatus({ config, regions: [...regions.values()], names, state, clock, signal });
    signal.throwIfAborted();
    const { roles, mirror, wouldLose, daemon } = assembleStatus(facts);
    if (context.json) context.print(JSON.stringify({ roles, daemon, mirror, wouldLose }));
    else if (roles.replication === 'suspended')
      context.print(`replication is suspended since ${roles.primary} was promoted`);
    else {
      for (const lag of mirror) {
        const records = lag.lagRecords === undefined ? 'lag unknown' : `${lag.lagRecords} records behind`;
        const time = lag.lagMs === undefined ? '' : `, ${formatMs(lag.lagMs)}`;
        context.print(`${lag.topic}: ${records}${time} (${lag.basis})`);
      }
      if (!daemon.seen) context.print('no daemon is seen at work');
    }
    return mirror.every((lag) => lag.basis !== 'unknown') ? 0 : 1;
  });
}
