import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readManifest } from '../../../../regions/flink/flink-manifest.ts';
import { readSessionManifest } from '../../../../regions/flink/flink-session-manifest.ts';
import { fixtureFile } from '../../../support/kubernetes-fixtures.ts';

const name = 'flink-session-standby.yaml';
const text = readFileSync(fixtureFile(name), 'utf8');
const place = { namespace: 'argus-data', deployment: 'argus-session', sessionJob: 'argus-counts' };
const read = (changed: string) => readSessionManifest([{ name, text: changed }], place);

describe('the manifest of a session job', () => {
  test('has the job, and its cluster where that is there', () => {
    const { job, cluster, configMaps } = read(text);
    expect([job.kind, cluster?.kind, configMaps]).toEqual(['FlinkSessionJob', 'FlinkDeployment', []]);
    expect(read(text.slice(text.indexOf('---'))).cluster).toBeUndefined();
  });

  test.each([
    [
      'another cluster',
      ['deploymentName: argus-session', 'deploymentName: other'],
      '35:3: spec.deploymentName: "other"',
    ],
    ['last-state', ['upgradeMode: savepoint', 'upgradeMode: last-state'], 'spec.job.upgradeMode: the operator refuses'],
    [
      'a jar that only the pods have',
      ['https://artifacts.example', 'local:///opt'],
      'spec.job.jarURI: the operator fetches',
    ],
    [
      'a cluster with a job',
      ['jobManager:', 'job: { jarURI: "x" }\n  jobManager:'],
      'spec.job: a session cluster has no job',
    ],
    [
      'the annotation',
      ['name: argus-counts', 'name: argus-counts\n  annotations: { argus.dev/job-id: x }'],
      'set by Argus',
    ],
    ['no such job', ['name: argus-counts', 'name: argus-other'], 'there is no FlinkSessionJob argus-counts'],
    [
      'another version',
      ['flink.apache.org/v1beta1\nkind: FlinkSessionJob', 'flink.apache.org/v2\nkind: FlinkSessionJob'],
      'apiVersion: ',
    ],
    ['another kind', ['kind: FlinkSessionJob', 'kind: Deployment'], 'kind: Argus applies FlinkSessionJob'],
  ])('refuses %s, with line and field', (_what, [from = '', to = ''], message) => {
    expect(text).toContain(from);
    const wrong = { code: 'ManifestInvalid', exitCode: 2, message: expect.stringContaining(message) };
    expect(() => read(text.replace(from, to))).toThrow(expect.objectContaining(wrong));
  });

  test('without sessionJob in the configuration its kind is refused, with what to do', () => {
    const files = [{ name, text: text.slice(text.indexOf('---')) }];
    expect(() => readManifest(files, place)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('sessionJob') }),
    );
  });
});
