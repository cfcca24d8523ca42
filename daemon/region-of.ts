import { ArgusError } from '../domain/errors.ts';
import type { Region } from '../regions/region.ts';

/** The region of a name that the roles hold; one that the configuration doesn't know is `RegionUnknown` (exit code 2). */
export function regionOf(regions: ReadonlyMap<string, Region>, name: string): Region {
  const region = regions.get(name);
  if (region) return region;
  throw new ArgusError(
    'RegionUnknown',
    `the roles in the state name region "${name}", which is not in the configuration`,
    {
      exitCode: 2,
      hint: 'is this the right configuration for this state?',
    },
  );
}
