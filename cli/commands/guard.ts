import { runGuard } from '../../daemon/guard.ts';
import { ArgusError } from '../../domain/errors.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { pathFrom } from '../config/load.ts';
import type { CommandContext } from '../context.ts';
import { withComposition } from '../session.ts';

/** `argus guard`: until Ctrl-C or SIGTERM, in the region that it names. */
export async function run(context: CommandContext, options: { readonly region: string }): Promise<number> {
  const log = await context.openLog();
  return withComposition(context, async ({ config, regions, state, guard, folder }) => {
    const region = regions.get(options.region);
    if (region === undefined) {
      throw new ArgusError('RegionUnknown', `no region is called "${options.region}"`, {
        exitCode: 2,
        hint: `there are: ${[...regions.keys()].join(', ')}`,
      });
    }
    if (config.guard === undefined || guard === undefined) {
      throw new ArgusError('ConfigError', 'the configuration has no guard', {
        exitCode: 2,
        hint: 'set guard.witness: a place for claims that is independent of the state (docs/configuration.md)',
      });
    }
    const { fenceTtl: fenceTtlMs, folder: ownFolder } = config.guard;
    const own = await fileObjectStore(pathFrom(folder, `${ownFolder}/${region.name}`));
    const { clock, signal } = context;
    log.info({ region: region.name, fenceTtlMs }, `guarding ${region.name}`);
    await runGuard({ config, region, state, witness: guard.witness, own, fenceTtlMs, clock, log }, signal);
    return 0;
  });
}
