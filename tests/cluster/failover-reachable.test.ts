import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterJob } from '../../lab/cluster-job/job-objects.ts';
import { clusterPrerequisites } from '../../lab/cluster-lab/start-cluster.ts';
import { names } from '../../lab/lab-info.ts';
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

  beforeAll(async () => {
    world = await startClusterFailover();
  }, 45 * 60_000);
  afterAll(async () => {
    await world?.stop();
  }, 120_000);

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
    await world.lab.regions[primary].kill('operator');
    const cut = await world.failOverUntil(`Start ${names.job} on ${standby}`);
    expect(cut.exitCode).not.toBe(0);
    const far = await world.api(primary);
    const object = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment', namespace, name: deployment };
    expect(await far.get(object)).toBeUndefined();
    expect(await podsOf(primary)).toEqual([]);
    const { runs } = JSON.parse((await world.command('--json', 'runs', 'list')).stdout) as { runs: { run: string }[] };
    const told = await world.command('--json', 'runs', 'show', runs[0]?.run ?? '');
    expect(told.stdout).toContain('took its finalizers away');
  });

  test('the run that was interrupted is gone on with, and done', limit, async () => {
    const { exitCode, value } = await world.failOver();
    expect(value).toMatchObject({ outcome: 'done', unfenced: false });
    expect(exitCode).toBe(0);
    const confirmed = value.steps?.find(({ id }) => id === 'confirm-jobs');
    expect(confirmed).toMatchObject({
      status: 'done',
      evidence: { [names.job]: { jobManager: 'READY', lifecycle: 'STABLE', job: 'RUNNING' } },
    });
  });
});
