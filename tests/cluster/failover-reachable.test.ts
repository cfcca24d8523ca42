import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterJob } from '../../lab/cluster-job/job-objects.ts';
import { clusterPrerequisites } from '../../lab/cluster-lab/start-cluster.ts';
import { names } from '../../lab/lab-info.ts';
import type { KubernetesApi } from '../../regions/kubernetes/kubernetes-api.ts';
import { type ClusterFailover, startClusterFailover } from '../support/cluster-failover.ts';

const missing = clusterPrerequisites();
const title =
  missing.length === 0 ? 'a primary that answers' : `a primary that answers (skipped, it needs ${missing.join('; ')})`;
const { namespace, deployment } = clusterJob;
const { primary, standby } = names;
const limit = { timeout: 300_000 };

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

  /** What the journal has of a run. */
  const shown = async (run = 'none') => (await world.command('--json', 'runs', 'show', run)).stdout;
  const podsOf = async (region: typeof primary | typeof standby) =>
    (await world.api(region)).list({ apiVersion: 'v1', kind: 'Pod' }, { namespace });

  test('a pod of the standby tries bucket and Kafka, and is gone afterwards', limit, async () => {
    const check = async () => {
      const done = await world.command('--json', 'standby', 'check', '--probe-pod');
      const { findings } = JSON.parse(done.stdout) as { findings: { code: string; message: string }[] };
      expect(await podsOf(standby)).toEqual([]);
      return findings.filter(({ code }) => /Unreachable|Probe/.test(code)).map(({ message }) => message);
    };
    expect(await check()).toEqual([]);
    const node = world.lab.regions[standby].cluster?.addresses.node;
    const back = world.withManifest({ 'spec/flinkConfiguration/s3.endpoint': `http://${node}:1` });
    try {
      const [message] = await check();
      expect(message).toMatch(
        new RegExp(`^a pod in ${namespace} can't reach the bucket at ${node}:1 .*[Cc]onnection refused`),
      );
    } finally {
      back();
    }
  });

  test('its operator is down, and the object hangs on its finalizer: ended by force, with proof', limit, async () => {
    const metadata = { name: 'small', namespace };
    await home.apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard: { pods: '1' } } });
    await world.lab.regions[primary].kill('operator');
    const cut = await world.failOverUntil(`… Start ${names.job} on ${standby}`);
    expect(cut.exitCode).not.toBe(0);
    const far = await world.api(primary);
    const object = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment', namespace, name: deployment };
    expect(await far.get(object)).toBeUndefined();
    expect(await podsOf(primary)).toEqual([]);
    const { runs } = JSON.parse((await world.command('--json', 'runs', 'list')).stdout) as { runs: { run: string }[] };
    expect(await shown(runs[0]?.run)).toContain('took its finalizers away');
  });

  test(
    'the quota of the standby has room for the JobManager alone: told, though Flink says RUNNING',
    limit,
    async () => {
      const { exitCode, ms, value } = await world.failOver();
      await home.delete({ apiVersion: 'v1', kind: 'ResourceQuota', namespace, name: 'small' });
      expect(exitCode).toBe(4);
      expect(value).toMatchObject({ outcome: 'failed', pastReturn: true, error: { code: 'JobFailed' } });
      expect(value.error?.message).toContain('no TaskManager can be made: exceeded quota: small');
      // It has restored its checkpoint: it isn't made anew.
      expect(value.error?.hint).toContain('it goes on waiting');
      expect(ms).toBeLessThan(200_000);
    },
  );

  test('mended, the run is gone on with, and done', limit, async () => {
    const { exitCode, value } = await world.failOver();
    expect(value).toMatchObject({ outcome: 'done', unfenced: false });
    expect(exitCode).toBe(0);
    expect(value.steps?.find(({ id }) => id === 'confirm-jobs')?.status).toBe('done');
    expect(await shown(value.run)).toMatch(/"jobManager":\s*"READY",\s*"lifecycle":\s*"STABLE"/);
  });
});
