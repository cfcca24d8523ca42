import { expect, test } from 'vitest';
import { readManifest } from '../../../../regions/flink/flink-manifest.ts';

const place = { namespace: 'argus-data', deployment: 'argus-flink' };
const good = `apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: { name: argus-flink }
spec:
  flinkVersion: v1_19
  job: { jarURI: local:///opt/flink/usrlib/counts.jar, parallelism: 2 }
`;
const read = (text: string) => readManifest([{ name: 'standby.yaml', text }], place);

test('a deployment and its ConfigMaps, in the namespace of the configuration; others of its kind are passed over', () => {
  const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: flink-config, namespace: argus-data }\n';
  const other = good.replace('name: argus-flink', 'name: another');
  const manifest = read([config, '', good, other].join('---\n'));
  expect(manifest.deployment.metadata).toEqual({ name: 'argus-flink', namespace: 'argus-data' });
  expect(manifest.configMaps.map((each) => each.metadata.name)).toEqual(['flink-config']);
});

test.each([
  ['no YAML', 'a: [', /^standby\.yaml:\d+:\d+: not valid YAML/],
  ['a list', '- a', 'standby.yaml:1:1: an object is needed'],
  ['no kind', 'apiVersion: v1\nmetadata: { name: a }', 'standby.yaml:1:1: kind: a text is needed here'],
  ['no name', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}', 'standby.yaml:3:1: metadata.name: a text'],
  [
    'another version',
    good.replace('v1beta1', 'v1alpha1'),
    'standby.yaml:1:1: apiVersion: flink.apache.org/v1beta1 is needed',
  ],
  [
    'another namespace',
    good.replace('{ name: argus-flink }', '{ name: argus-flink, namespace: prod }'),
    'standby.yaml:3:32: metadata.namespace: "prod"',
  ],
  ['no job', good.replace(/ {2}job.*\n/, ''), 'standby.yaml:4:1: spec.job: a job is needed here'],
  [
    'the job id is taken',
    good.replace('spec:\n', 'spec:\n  flinkConfiguration: { $internal.pipeline.job-id: ab }\n'),
    'standby.yaml:5:3: spec.flinkConfiguration: $internal.pipeline.job-id is set by Argus',
  ],
  [
    'a session job',
    good.replace('kind: FlinkDeployment', 'kind: FlinkSessionJob'),
    'standby.yaml:2:1: kind: name it in jobs[].kubernetes.<region>.sessionJob',
  ],
  [
    'a kind that is not ours',
    'apiVersion: v1\nkind: Secret\nmetadata: { name: a }',
    'standby.yaml:2:1: kind: Argus applies FlinkDeployment and ConfigMap',
  ],
  ['two of them', `${good}---\n${good}`, 'standby.yaml:10:13: metadata.name: a second FlinkDeployment argus-flink'],
  ['none', '', 'standby.yaml: there is no FlinkDeployment argus-flink'],
])('%s: told with file, line and field', (_what, text, message) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({
      code: 'ManifestInvalid',
      exitCode: 2,
      message: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
    }),
  );
});
