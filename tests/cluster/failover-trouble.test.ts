import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterJob } from '../../lab/cluster-job/job-objects.ts';
import { clusterPrerequisites } from '../../lab/cluster-lab/start-cluster.ts';
import { names } from '../../lab/lab-info.ts';
import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { type ClusterFailover, startClusterFailover } from '../support/cluster-failover.ts';
import { startObjectServer } from '../support/object-server.ts';

const missing = clusterPrerequisites();
const title =
  missing.length === 0 ? 'a failover in trouble' : `a failover in trouble (skipped, it needs ${missing.join('; ')})`;
const { namespace, deployment } = clusterJob;
const { primary, standby } = names;
const limit = { timeout: 420_000 };
/** Far below the deadlines of the steps, 300 s; on a machine with other things to do. */
const boundedMs = 150_000;

interface Status {
  readonly regions: readonly {
    readonly name: string;
    readonly components: readonly { readonly component: string; readonly status: string }[];
  }[];
}

// One lab for the whole story: each test goes on where the one before it ended.
describe.skipIf(missing.length > 0)(title, () => {
  let world: ClusterFailover;
  let home: KubernetesApi;

  beforeAll(async () => {
    world = await startClusterFailover();
    home = await world.api(standby);
  }, 45 * 60_000);
  afterAll(async () => {
    await world?.stop();
  }, 120_000);

  /** What Argus says of a region's Flink. */
  const flinkOf = async (region: string) => {
    const status = JSON.parse((await world.command('--json', 'status')).stdout) as Status;
    return status.regions.find(({ name }) => name === region)?.components.find((c) => c.component === 'flink')?.status;
  };

  const refusedAsUnfenced = async () => {
    const { exitCode, ms, value } = await world.failOver();
    expect(exitCode).toBe(3);
    expect(ms).toBeLessThan(90_000);
    expect(value.error?.code).toBe('PrimaryUnfenced');
    expect(value.error?.message).toMatch(new RegExp(`^${primary}'s jobs can't be seen stopped: no answer within 2 s`));
    expect(value.error?.hint).toContain('--accept-unfenced');
    // Nothing was changed: no run was begun.
    expect(JSON.parse((await world.command('--json', 'runs', 'list')).stdout)).toMatchObject({ runs: [] });
  };

  test("the primary's API server is frozen: refused, since nobody sees its job stopped", limit, async () => {
    world.lab.regions[primary].cluster?.freezeApi();
    try {
      await refusedAsUnfenced();
    } finally {
      world.lab.regions[primary].cluster?.thawApi();
    }
  });

  test('the primary is cut off: refused until a person accepts it', limit, async () => {
    await world.lab.regions[primary].cut();
    await refusedAsUnfenced();
  });

  /** A run that gets past the point of no return, and fails over the standby's job. */
  const failsOver = async (...args: readonly string[]) => {
    const done = await world.failOver(...args);
    expect(done.exitCode).toBe(4);
    expect(done.value).toMatchObject({ outcome: 'failed', pastReturn: true, error: { code: 'JobFailed' } });
    expect(done.ms).toBeLessThan(boundedMs);
    return done.value.error;
  };

  const quota: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'small', namespace },
    spec: { hard: { pods: '0' } },
  };
  const withoutQuota = () => home.delete({ apiVersion: 'v1', kind: 'ResourceQuota', namespace, name: 'small' });

  test('the standby has no quota for pods: told by its name', limit, async () => {
    await home.apply(quota);
    try {
      const error = await failsOver('--accept-unfenced');
      const why = 'no pod can be made: exceeded quota: small';
      expect(error?.message).toContain(`${names.job} does not run on ${standby}: ${why}`);
      expect(error?.hint).toContain('it starts the job anew');
    } finally {
      await withoutQuota();
    }
  });

  test('the manifest names an image that is not there: the job is made anew, and told at once', limit, async () => {
    const back = world.withManifest({ 'spec/image': 'localhost/no-such-image:1' });
    try {
      const error = await failsOver('--accept-unfenced');
      expect(error?.message).toContain("the image localhost/no-such-image:1 can't be pulled (ErrImageNeverPull");
    } finally {
      back();
    }
  });

  test('its pods see no checkpoint at the path', limit, async () => {
    const { bucket, accessKeyId, secretAccessKey } = world.lab.info.regions[standby].objects;
    const host = world.lab.regions[standby].cluster?.addresses.gateway ?? '';
    const empty = await startObjectServer({ buckets: [bucket], host, keys: { accessKeyId, secretAccessKey } });
    const back = world.withManifest({ 'spec/flinkConfiguration/s3.endpoint': empty.endpoint });
    try {
      const error = await failsOver('--accept-unfenced');
      expect(error?.message).toMatch(/Cannot find checkpoint or savepoint file/);
    } finally {
      back();
      await empty.stop();
    }
  });

  test(
    "the standby's operator is down: what hangs on its finalizer is ended by force, then nobody takes it up",
    limit,
    async () => {
      await world.lab.regions[standby].kill('operator');
      const error = await failsOver('--accept-unfenced');
      expect(error?.message).toContain(`the operator has not taken up ${deployment} yet`);
      expect(error?.hint).toContain('it goes on waiting');
      await world.lab.regions[standby].start('operator');
    },
  );

  test(
    'everything is mended, and the primary answers again: its job is stopped with proof, the failover done',
    limit,
    async () => {
      await world.lab.regions[primary].restore();
      await expect.poll(() => flinkOf(primary), { timeout: 120_000, interval: 1_000 }).toBe('ok');
      const { exitCode, value } = await world.failOver();
      expect(value).toMatchObject({ outcome: 'done', unfenced: false });
      expect(exitCode).toBe(0);
      const far = await world.api(primary);
      expect(
        await far.get({ apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment', namespace, name: deployment }),
      ).toBeUndefined();
      expect(await far.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace })).toEqual([]);
      const status = JSON.parse((await world.command('--json', 'status')).stdout);
      expect(status.roles).toMatchObject({ primary: standby, standby: primary });
    },
  );
});
