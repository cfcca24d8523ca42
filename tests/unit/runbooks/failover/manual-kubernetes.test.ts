import { expect, test } from 'vitest';
import type { Config } from '../../../../domain/config.ts';
import { manualCommands } from '../../../../runbooks/failover/manual.ts';
import { config as sessionClusters } from './world.ts';

const place = { namespace: 'argus-data', deployment: 'argus-flink' };
const restorePath = { configMap: 'flink-config', key: 'restore-path' };

type Place = NonNullable<Config['jobs'][number]['kubernetes']>[string];

function commands(singapore: Place, mumbai: Place = place) {
  const { submit: _, ...job } = sessionClusters.jobs[0] as Config['jobs'][number];
  const flink = { kubernetes: { stop: 'delete' as const } };
  const regions = Object.entries(sessionClusters.regions).map(
    ([name, { flink: _flink, ...region }]) => [name, { ...region, flink, kubernetes: { context: name } }] as const,
  );
  return manualCommands({
    config: {
      ...sessionClusters,
      regions: Object.fromEntries(regions),
      jobs: [{ ...job, kubernetes: { mumbai, singapore } }],
    },
    primary: 'mumbai',
    standby: 'singapore',
    primaryJobs: [],
    withheldAcls: [],
    rolesEpoch: 1,
    jobs: [{ name: 'counts', jarPath: '', jobId: 'ab', pointUri: 's3://r/chk-10' }],
    records: [],
  });
}

test('a person types kubectl, in the order and with the traps of the operator told', () => {
  const by = commands({ ...place, manifest: 'flink-cluster-standby.yaml', restorePath });
  expect(by['stop-primary-jobs']).toEqual([
    'kubectl --context mumbai -n argus-data delete flinkdeployment argus-flink --wait=true --timeout=60s',
    'kubectl --context mumbai -n argus-data get pods -l app=argus-flink # go on only when there are none: the object goes before its pods',
  ]);
  expect(by['start-jobs']).toEqual([
    `kubectl --context singapore -n argus-data patch configmap flink-config --type merge -p '{"data":{"restore-path":"s3://r/chk-10"}}'`,
    'kubectl --context singapore -n argus-data delete flinkdeployment argus-flink --ignore-not-found --wait=true # one that has run before ignores the path',
    `cat flink-cluster-standby.yaml | kubectl --context singapore -n argus-data patch --local -f - --type merge -p '{"spec":{"flinkConfiguration":{"$internal.pipeline.job-id":"ab","execution.savepoint-restore-mode":"NO_CLAIM","execution.state-recovery.claim-mode":"NO_CLAIM"},"job":{"state":"running","initialSavepointPath":"s3://r/chk-10"}}}' -o yaml | kubectl --context singapore -n argus-data create -f -`,
  ]);
  expect(by['await-checkpoint']).toEqual([
    'kubectl --context singapore -n argus-data get --raw /api/v1/namespaces/argus-data/services/argus-flink-rest:rest/proxy/jobs/ab/checkpoints # latest.completed.id > latest.restored.id',
  ]);
});

test('a manifest in a ConfigMap, and an object that is there already', () => {
  const fromMap = commands({ ...place, manifest: { configMap: 'manifests', key: 'standby.yaml' } });
  expect(fromMap['start-jobs'].at(-1)).toContain(
    String.raw`get configmap manifests -o 'jsonpath={.data.standby\.yaml}' | kubectl`,
  );
  expect(commands(place)['start-jobs']).toEqual([
    expect.stringContaining('patch flinkdeployment argus-flink --type merge -p'),
  ]);
});

test('a session job: Flink is asked whether it ended, and by its own id', () => {
  const session = { ...place, deployment: 'argus-session', sessionJob: 'argus-counts' };
  const k = 'kubectl --context singapore -n argus-data';
  const proxy = '/api/v1/namespaces/argus-data/services/argus-session-rest:rest/proxy';
  const change = `'{"metadata":{"annotations":{"argus.dev/job-id":"ab"}},"spec":{"job":{"state":"running","initialSavepointPath":"s3://r/chk-10"}}}'`;
  const by = commands({ ...session, manifest: 'session.yaml' });
  expect(by['start-jobs']).toEqual([
    `${k} delete flinksessionjob argus-counts --ignore-not-found --wait=true # one that has run before ignores the path`,
    `cat session.yaml | ${k} apply --server-side -f - # with spec.job.state: suspended`,
    `${k} patch flinksessionjob argus-counts --type merge -p ${change}`,
  ]);
  expect(by['await-checkpoint']).toEqual([
    `${k} get --raw "${proxy}/jobs/$(${k} get flinksessionjob argus-counts -o jsonpath={.status.jobStatus.jobId})/checkpoints" # latest.completed.id > latest.restored.id`,
  ]);
  expect(commands(session)['start-jobs']).toEqual([expect.stringContaining('patch flinksessionjob argus-counts')]);
  expect(commands(session, session)['stop-primary-jobs']).toEqual([
    'kubectl --context mumbai -n argus-data delete flinksessionjob argus-counts --wait=true --timeout=60s',
    `kubectl --context mumbai -n argus-data get --raw ${proxy}/jobs/overview # go on only when it has ended there: the object goes also when the job could not be cancelled`,
  ]);
});
