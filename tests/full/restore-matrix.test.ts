import { beforeAll, describe, test } from 'vitest';
import { flinkVersions } from '../../lab/setup/flink-releases.ts';
import { expectRestored, installFlink, playRestore } from '../support/restore-case.ts';
import { restoreCases } from '../support/restore-cases.ts';

describe.each(flinkVersions)('Flink %s', (version) => {
  beforeAll(() => installFlink({ version, settings: { 'state.changelog.enabled': true } }));

  test.each(restoreCases)('restores a job with $name from the replica, the primary destroyed', async (each) => {
    expectRestored(await playRestore({ version, settings: each.settings }), version, each);
  });
});
