import { ArgusError } from '../../domain/errors.ts';
import type { CommandContext } from '../context.ts';
import type { DrillRunOptions } from './drill-options.ts';

/** Refuses: this kind of drill is not built yet. */
export async function drill(_context: CommandContext, _options: DrillRunOptions): Promise<number> {
  throw new ArgusError('NotBuilt', 'tabletop drills are not built yet; nothing was changed', { exitCode: 3 });
}
