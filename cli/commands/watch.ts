import type { CommandContext } from '../context.ts';

interface Options {
  /** True: the one at work, else the newest. */
  readonly run?: string | true;
  /** How long between two looks. */
  readonly every?: number;
}

/** `argus watch [--run <id>]`: how things stand, or how far a run is, until it ends or whoever watches leaves. */
export async function run(context: CommandContext, options: Options): Promise<number> {
  const { watchRun } = await import('../watch/watch-run.ts');
  if (options.run !== undefined) return watchRun(context, options.run === true ? undefined : options.run);
  const { watchStatus } = await import('../watch/watch-status.ts');
  const left = await watchStatus(context, options.every ?? 2_000);
  return left.kind === 'follow' ? watchRun(context, left.run) : 0;
}
