import { expect, test } from 'vitest';
import { ArgusError } from '../../../domain/errors.ts';
import { gatherPreflight } from '../../../health/gather-preflight.ts';
import { decidePreflight, preflightError } from '../../../health/preflight.ts';
import type { FlinkJobs } from '../../../regions/flink/flink-jobs.ts';
import type { Region } from '../../../regions/region.ts';
import { newWorld } from '../runbooks/failover/world.ts';

test('a region that is to start jobs is asked whether it could, the other one is not', async () => {
  const { context } = newWorld({ primary: 'up' });
  const asked: string[] = [];
  const withCheck = (region: Region): Region => {
    const flink: FlinkJobs = {
      ...region.flink,
      slots: async () => ({ free: 2, total: 2 }),
      check: async () => {
        asked.push(region.name);
        throw new ArgusError('ManifestInvalid', 'standby.yaml:4:1: spec.job: a job is needed here', { exitCode: 2 });
      },
    };
    return { ...region, flink };
  };
  const facts = await gatherPreflight({
    purpose: 'failover',
    config: context.config,
    names: context.names,
    jars: [],
    primary: withCheck(context.primary),
    standby: withCheck(context.standby),
    sighting: undefined,
    clock: context.clock,
  });
  expect(asked).toEqual(['singapore']);
  expect(facts.primary.flink.status).toBe('ok');
  const verdict = decidePreflight('failover', facts);
  expect(verdict.errors).toContainEqual(
    expect.objectContaining({
      code: 'ManifestInvalid',
      message: 'Flink of singapore: standby.yaml:4:1: spec.job: a job is needed here',
    }),
  );
  expect(preflightError(verdict)).toMatchObject({ exitCode: 2 });
});
