import { expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  type ClusterJobPlace,
  jobDeployment,
  jobSurroundings,
  standbyManifest,
} from '../../../../lab/cluster-job/job-objects.ts';

const place: ClusterJobPlace = {
  image: { name: 'localhost/argus-flink:1', jarUri: 'local:///opt/flink/usrlib/counts.jar' },
  brokers: '10.201.1.2:9092',
  objects: { endpoint: 'http://10.201.1.2:9000', bucket: 'replica', accessKeyId: 'key', secretAccessKey: 'hidden' },
  transactionalIdPrefix: 'counts-singapore',
};

test('the manifest is the job as it stands on the standby: by the names of the plan, suspended', () => {
  const object = parse(standbyManifest(place));
  expect(object).toEqual(jobDeployment(place, 'suspended'));
  expect(object.metadata).toEqual({ name: 'argus-flink', namespace: 'argus-data' });
  expect(object.spec.job.state).toBe('suspended');
  expect(object.spec.job.args).toContain('10.201.1.2:9092');
});

test('every value of the Flink configuration is text, as the definition wants it', () => {
  const { flinkConfiguration } = jobDeployment(place, 'running').spec as { flinkConfiguration: object };
  for (const value of Object.values(flinkConfiguration)) expect(typeof value).toBe('string');
});

test('the keys to the bucket are in a Secret alone', () => {
  expect(standbyManifest(place)).not.toContain('hidden');
  const holders = jobSurroundings(place.objects).filter((object) => JSON.stringify(object).includes('hidden'));
  expect(holders.map(({ kind }) => kind)).toEqual(['Secret']);
});
