import { ArgusError } from '../../domain/errors.ts';
import type { CommandContext } from '../context.ts';
import type { DrillRunOptions } from '../drill/drill-options.ts';
import { withState } from '../session.ts';

/**
 * `argus drill run`: the drill that was asked for; each kind has a module of its own. What an interrupted one left broken
 * is healed before; where that can't be, no drill but a tabletop is begun over it.
 */
export async function run(context: CommandContext, options: DrillRunOptions): Promise<number> {
  const { planOnly = false, switchover = false, fault } = options;
  const kinds = [planOnly, switchover, fault !== undefined].filter((asked) => asked).length;
  if (kinds > 1) {
    throw new ArgusError('Usage', '--plan-only, --switchover and --fault are drills of different kinds', {
      exitCode: 2,
      hint: 'give one of them, or none for an isolated drill',
    });
  }
  if (!switchover && (options.stay !== undefined || options.outsideWindow === true)) {
    throw new ArgusError('Usage', '--stay and --outside-window are for a drill by switchover', {
      exitCode: 2,
      hint: 'leave them out, or give --switchover',
    });
  }
  const { requireHealed } = await import('../drill/heal-left.ts');
  await withState(context, (state, loaded) => requireHealed(context, state, loaded, options));
  if (planOnly) return (await import('../drill/tabletop.ts')).drill(context, options);
  if (switchover) return (await import('../drill/switchover.ts')).drill(context, options);
  if (fault !== undefined) return (await import('../drill/fault.ts')).drill(context, options);
  return (await import('../drill/isolated.ts')).drill(context, options);
}
