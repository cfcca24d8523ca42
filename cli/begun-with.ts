import type { Config } from '../domain/config.ts';
import type { RegionVersions } from '../health/platform-versions.ts';
import type { BegunWith } from '../runbooks/occasion.ts';
import { argusVersion } from './version.ts';

/** What a run is begun with, for its journal; `platform`: what the regions run. Pure but for the version of Node. */
export function begunWith(
  from: { readonly config: Pick<Config, 'objectives'>; readonly configSha256?: string },
  platform: readonly RegionVersions[],
): BegunWith {
  const { rto: rtoMs, rpo: rpoMs } = from.config.objectives;
  return {
    argus: argusVersion,
    node: process.versions.node,
    ...(from.configSha256 === undefined ? {} : { configSha256: from.configSha256 }),
    objectives: { rtoMs, rpoMs },
    platform,
  };
}
