import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import type { FlinkJobs, StartJob } from '../../regions/flink/flink-jobs.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { flinkSessionJobKind, jobIdAnnotation } from '../../regions/flink/flink-session-job.ts';
import { flinkSessionJobs } from '../../regions/flink/flink-session-jobs.ts';
import type { KubernetesSessionJob } from '../../regions/flink/flink-session-look.ts';
import { buildTimeoutMs, namespaceNamed, startTestKubernetes, type TestKubernetes } from '../support/kubernetes-api.ts';
import { fixtureFile, fixtureObjects } from '../support/kubernetes-fixtures.ts';
import { type SimulatedSessionClusters, simulateSessionClusters } from '../support/simulated-session-cluster.ts';
import { flinkJobsContract } from './flink-jobs.suite.ts';

// Everything but the API server is simulated here: tests/support/simulated-session-cluster.ts.
const namespace = 'argus-data';
const point = 's3://argus-flink-checkpoints-replica/argus/replica/counts/points/10/chk-10';
const ref = { ...flinkSessionJobKind, namespace, name: 'argus-counts' };
const clusterRef = { ...flinkDeploymentKind, namespace, name: 'argus-session' };
const patience = { timeout: 60_000, interval: 100 };
const place: KubernetesSessionJob = {
  name: 'counts',
  namespace,
  deployment: 'argus-session',
  sessionJob: 'argus-counts',
  manifest: { kind: 'path', path: fixtureFile('flink-session-standby.yaml') },
};
const job: StartJob = { name: 'counts', jarPath: '', entryClass: '', args: [], parallelism: 2, savepointPath: point };
const [, jobObject] = fixtureObjects('flink-session-standby.yaml');

let cluster: TestKubernetes;
let operator: SimulatedSessionClusters;
let flink: FlinkJobs;
let attempt = 0;

function connect(over: Partial<KubernetesSessionJob> = {}, stop: 'delete' | 'suspend' = 'delete') {
  return flinkSessionJobs({
    region: 'singapore',
    kubernetes: cluster.admin,
    jobs: [{ ...place, ...over }],
    rest: (of) => flinkRestJobs({ region: 'singapore', url: `${operator.url}/${of.namespace}/${of.deployment}` }),
    stop,
    startTimeoutMs: 20_000,
  });
}

/** An id that no job had. */
const nextId = () => `${++attempt}`.padStart(32, '0');
const stateOf = async (jobId: string) => (await flink.list()).find((each) => each.id === jobId)?.state;
const objectNow = () => cluster.admin.get(ref);
const running = (jobId: string) => expect.poll(() => stateOf(jobId), patience).toBe('RUNNING');
const liveInFlink = () => operator.jobs().filter(({ state }) => state === 'RUNNING');

async function ended(): Promise<void> {
  for (const { id } of await flink.list()) await flink.cancel(id);
  await expect.poll(() => flink.list(), patience).toEqual([]);
}

beforeAll(async () => {
  cluster = await startTestKubernetes();
  await cluster.admin.apply(namespaceNamed(namespace));
  // Without a controller manager nobody makes it.
  await cluster.admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  operator = await simulateSessionClusters(cluster, namespace);
  flink = connect();
}, buildTimeoutMs);

afterAll(async () => {
  await operator?.stop();
  await cluster?.stop();
});

describe('as every Flink, simulated', () => flinkJobsContract(() => ({ flink, job })));

describe('the id that was asked for', () => {
  test("is found again by whoever comes next, and Flink's own is another", async () => {
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    await running(jobId);
    expect((await objectNow())?.metadata.annotations).toMatchObject({ [jobIdAnnotation]: jobId });
    const [inFlink] = liveInFlink();
    expect(inFlink?.id).not.toBe(jobId);
    const next = connect();
    expect(await next.list()).toMatchObject([{ id: jobId, name: 'counts', state: 'RUNNING' }]);
    expect((await next.checkpoints(jobId)).restored?.path).toBe(point);
    // Whoever knows it by its folder of checkpoints finds it, too.
    expect((await next.list())[0]?.flinkId).toBe(inFlink?.id);
    for (const id of [jobId, inFlink?.id ?? '']) {
      expect((await next.snapshots(id))[0]?.path).toContain(`/${inFlink?.id}/`);
    }
    expect(await next.health?.(jobId)).toMatchObject({ kind: 'sound', remake: false });
    expect(await flink.slots()).toEqual({ free: 0, total: 2 });
    await ended();
    expect(await objectNow()).toBeUndefined();
    expect(liveInFlink()).toEqual([]);
  });

  test('a claim is refused: the operator would not make it', async () => {
    const refusal = { code: 'ClaimImpossible' };
    await expect(flink.start({ ...job, claimMode: 'CLAIM', jobId: nextId() })).rejects.toMatchObject(refusal);
    expect(await objectNow()).toBeUndefined();
  });

  test('a job that is called otherwise in Flink is told', async () => {
    const jobId = nextId();
    const other = connect({ name: 'sums' });
    await other.start({ ...job, name: 'sums', jobId });
    const names = { code: 'JobNameDiffers', message: expect.stringContaining('"counts" in Flink, and "sums"') };
    await expect.poll(() => other.list().catch((error: unknown) => error), patience).toMatchObject(names);
    await ended();
  });
});

describe('the route to our path', () => {
  test('the session cluster of the manifest is made where there is none, and left as it is where there is one', async () => {
    await cluster.admin.delete(clusterRef);
    await expect.poll(() => cluster.admin.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace }), patience).toEqual([]);
    expect(await flink.slots()).toEqual({ free: 2, total: 2 });
    expect(await flink.clusters?.()).toMatchObject([{ name: 'argus-session', state: 'absent', wanted: 2 }]);
    const [first, second] = [nextId(), nextId()];
    await flink.start({ ...job, jobId: first });
    await running(first);
    const made = await cluster.admin.get(clusterRef);
    expect(made?.spec).toMatchObject({ flinkVersion: 'v1_19' });
    await ended();
    await flink.start({ ...job, jobId: second });
    await running(second);
    expect((await cluster.admin.get(clusterRef))?.metadata).toMatchObject({
      uid: made?.metadata.uid,
      generation: made?.metadata.generation,
    });
    await ended();
  });

  test('made suspended and never run: the very object takes it, with and without a manifest', async () => {
    for (const manifest of [place.manifest, undefined]) {
      await cluster.admin.apply(jobObject!);
      const uid = (await objectNow())?.metadata.uid;
      expect(await flink.list()).toEqual([]);
      const jobId = nextId();
      await connect({ manifest }).start({ ...job, jobId });
      await running(jobId);
      expect((await objectNow())?.metadata.uid).toBe(uid);
      expect((await flink.checkpoints(jobId)).restored?.path).toBe(point);
      await ended();
    }
  });

  test('an empty start takes a path away that the object has from somebody else', async () => {
    for (const manifest of [place.manifest, undefined]) {
      const spec = jobObject?.spec as { job: object };
      const before = { ...spec, job: { ...spec.job, initialSavepointPath: 's3://old/chk-1' } };
      await cluster.admin.create({ ...jobObject!, spec: before });
      const jobId = nextId();
      const { savepointPath: _, ...empty } = job;
      await connect({ manifest }).start({ ...empty, jobId });
      await running(jobId);
      expect((await flink.checkpoints(jobId)).restored).toBeUndefined();
      await ended();
    }
  });

  test('run before and suspended: it is made anew, since it would restore its own state', async () => {
    const [first, second] = [nextId(), nextId()];
    await flink.start({ ...job, jobId: first });
    await running(first);
    const uid = (await objectNow())?.metadata.uid;
    await connect({}, 'suspend').cancel(first);
    await expect.poll(() => stateOf(first), patience).toBe('SUSPENDED');
    const bare = connect({ manifest: undefined });
    await expect(bare.start({ ...job, jobId: second })).rejects.toMatchObject({ code: 'ManifestMissing', exitCode: 2 });
    await flink.start({ ...job, jobId: second });
    await running(second);
    expect((await objectNow())?.metadata.uid).not.toBe(uid);
    expect((await flink.checkpoints(second)).restored?.path).toBe(point);
    await ended();
  });

  test("resumed by hand from its own state: told by the job's word", async () => {
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    await running(jobId);
    await connect({}, 'suspend').cancel(jobId);
    await expect.poll(() => stateOf(jobId), patience).toBe('SUSPENDED');
    await cluster.admin.patch(ref, { spec: { job: { state: 'running', initialSavepointPath: point } } });
    await running(jobId);
    const elsewhere = { code: 'RestoredElsewhere', message: expect.stringContaining('s3://own/savepoints/') };
    await expect(flink.checkpoints(jobId)).rejects.toMatchObject(elsewhere);
    await ended();
  });

  test('a cluster that is missing, or is none, is told before anything is changed', async () => {
    const lone = connect({ deployment: 'absent', manifest: undefined });
    await cluster.admin.apply(jobObject!);
    const missing = { code: 'SessionClusterMissing', message: expect.stringContaining('argus-data/absent') };
    await expect(lone.check?.()).rejects.toMatchObject(missing);
    await expect(lone.start({ ...job, jobId: nextId() })).rejects.toMatchObject(missing);
    expect((await objectNow())?.metadata.annotations?.[jobIdAnnotation]).toBeUndefined();
    await cluster.admin.delete(ref);
    await expect.poll(objectNow, patience).toBeUndefined();
    await flink.check?.();
  });
});

describe('the end of a job', () => {
  test('the object is gone, and the job goes on: it counts as running, and is cancelled in Flink itself', async () => {
    operator.loseCancellations(true);
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    await running(jobId);
    await flink.cancel(jobId);
    await expect.poll(objectNow, patience).toBeUndefined();
    operator.loseCancellations(false);
    // Whoever asks next knows neither id: it is found by its name.
    const next = connect();
    const [stray] = await next.list();
    expect(stray).toMatchObject({ id: liveInFlink()[0]?.id, name: 'counts', state: 'RUNNING' });
    const refusal = { code: 'FlinkRefused', message: expect.stringContaining('belongs to no FlinkSessionJob') };
    await expect(next.start({ ...job, jobId: nextId() })).rejects.toMatchObject(refusal);
    await next.cancel(stray?.id ?? '');
    await expect.poll(() => next.list(), patience).toEqual([]);
    expect(liveInFlink()).toEqual([]);
  });

  test('a stop with savepoint, by the id that was asked for; then nothing starts it again', async () => {
    const [jobId, next] = [nextId(), nextId()];
    await flink.start({ ...job, jobId });
    await running(jobId);
    const triggerId = 'c'.repeat(32);
    await flink.stopWithSavepoint?.({ jobId, directory: 's3://replica/savepoints', triggerId, format: 'NATIVE' });
    const stands = await flink.savepointStop?.(jobId, triggerId);
    expect(stands).toMatchObject({ kind: 'done', path: expect.stringContaining('s3://replica/savepoints/') });
    expect(await stateOf(jobId)).toBe('FINISHED');
    await flink.settle?.(jobId);
    await flink.settle?.(jobId);
    await expect.poll(() => flink.list(), patience).toEqual([]);
    expect(await objectNow()).toBeUndefined();
    const savepointPath = stands?.kind === 'done' ? stands.path : '';
    await flink.start({ ...job, savepointPath, jobId: next });
    await running(next);
    expect((await flink.checkpoints(next)).restored?.path).toBe(savepointPath);
    await ended();
  });

  test('an operator that is down: force ends the job, sees it ended, and only then lets its object go', async () => {
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    await running(jobId);
    const inFlink = liveInFlink()[0]?.id;
    operator.pause();
    await flink.cancel(jobId);
    expect(await stateOf(jobId)).toBe('RUNNING');
    expect(await flink.forceStop?.(jobId)).toEqual({
      done: [
        `asked for the end of the job ${inFlink} in argus-session`,
        'took its finalizers away (flinksessionjobs.flink.apache.org/finalizer)',
      ],
      unproven: [],
    });
    expect(await flink.list()).toEqual([]);
    operator.resume();
  });

  test('a cluster whose pods are there and whose REST interface is silent proves nothing', async () => {
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    await running(jobId);
    operator.silence(true);
    operator.loseCancellations(true);
    await flink.cancel(jobId);
    await expect.poll(objectNow, patience).toBeUndefined();
    const silent = { code: 'FlinkUnreachable', retryable: true, message: expect.stringContaining('is not told') };
    await expect(flink.list()).rejects.toMatchObject(silent);
    expect(await flink.forceStop?.(jobId)).toMatchObject({
      done: [],
      unproven: [expect.stringContaining('does not answer')],
    });
    operator.silence(false);
    operator.loseCancellations(false);
    expect((await flink.list()).map(({ state }) => state)).toEqual(['RUNNING']);
    await ended();
  });

  test('an operator that is down: the job is not there, and why is told', async () => {
    operator.pause();
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    expect(await stateOf(jobId)).toBe('INITIALIZING');
    const why = 'the operator has not taken up argus-counts yet';
    expect(await flink.failureOf(jobId)).toContain(why);
    await expect(flink.checkpoints(jobId)).rejects.toMatchObject({
      code: 'FlinkUnreachable',
      message: expect.stringContaining(why),
      retryable: true,
    });
    expect(await flink.health?.(jobId)).toMatchObject({
      kind: 'settling',
      remake: false,
      why: expect.stringContaining(why),
    });
    operator.resume();
    await running(jobId);
    await ended();
  });
});
