import { expect, test } from 'vitest';
import { parseConfig } from '../../../../cli/config/parse.ts';
import { sampleYaml } from '../sample-config.ts';

const submit = sampleYaml.slice(sampleYaml.indexOf('    submit:'), sampleYaml.indexOf('dns:'));

/** The sample with FlinkDeployments in both regions, and nothing of a session cluster. */
const yaml = sampleYaml
  .replace('      rest: http://127.0.1.1:8081', '      kubernetes: {}\n    kubernetes: { context: mumbai }')
  .replace('      rest: http://127.0.2.1:8081', '      kubernetes: {}\n    kubernetes: { context: singapore }')
  .replace(
    submit,
    `    kubernetes:
      mumbai: { namespace: argus-data, deployment: argus-flink }
      singapore:
        namespace: argus-data
        deployment: argus-flink
        manifest: flink-cluster-standby.yaml
        restorePath: { configMap: flink-config, key: restore-path }
`,
  );

const issues = (text: string): string => {
  try {
    parseConfig(text, 'argus.yaml');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

test('FlinkDeployments in both regions need no program to submit', () => {
  const config = parseConfig(yaml, 'argus.yaml');
  expect(config.regions.singapore?.flink).toEqual({ kubernetes: { stop: 'delete' } });
  expect(config.jobs[0]?.submit).toBeUndefined();
  expect(config.jobs[0]?.kubernetes?.singapore).toEqual({
    namespace: 'argus-data',
    deployment: 'argus-flink',
    manifest: 'flink-cluster-standby.yaml',
    restorePath: { configMap: 'flink-config', key: 'restore-path' },
  });
});

test.each([
  [
    'both ways at once',
    yaml.replace('kubernetes: {}', 'kubernetes: {}\n      rest: http://127.0.1.1:8081'),
    'regions.mumbai.flink: rest (a session cluster) or kubernetes',
  ],
  [
    'no way',
    yaml.replace('      kubernetes: {}\n', '      {}\n'),
    'regions.mumbai.flink: rest (a session cluster) or kubernetes',
  ],
  [
    'no API server',
    yaml.replace('    kubernetes: { context: singapore }\n', ''),
    'regions.singapore.flink: kubernetes needs regions.singapore.kubernetes',
  ],
  [
    'a job without a deployment',
    yaml.replace('      mumbai: { namespace: argus-data, deployment: argus-flink }\n', ''),
    'jobs[0]: kubernetes.mumbai is needed',
  ],
  [
    'a region that is none',
    yaml.replace('      mumbai: { name', '      tokyo: { name'),
    'jobs[0].kubernetes.tokyo: no region is called "tokyo"',
  ],
  [
    'a session cluster without submit',
    yaml.replace('kubernetes: {}\n    kubernetes: { context: mumbai }', 'rest: http://127.0.1.1:8081'),
    'jobs[0]: submit is needed: mumbai has a session cluster',
  ],
  [
    'a name that the operator refuses',
    yaml.replace('deployment: argus-flink }', 'deployment: Argus }'),
    'jobs[0].kubernetes.mumbai.deployment: up to 45 lower-case letters',
  ],
  [
    'a manifest of another type',
    yaml.replace('flink-cluster-standby.yaml', '[a, b]'),
    'jobs[0].kubernetes.singapore.manifest: a file or folder, or a mapping with configMap and key',
  ],
  [
    'a mistyped key',
    yaml.replace('stop', 'x').replace('restorePath', 'restorepath'),
    'unknown key "restorepath" in jobs[0].kubernetes.singapore; did you mean "restorePath"?',
  ],
  [
    'one deployment of two jobs',
    yaml.replace(/( {2}- name: counts\n[\s\S]*?)(?=dns:)/, (found) => found + found.replace('counts', 'enrich')),
    'jobs[1].kubernetes.singapore: another job has the same FlinkDeployment',
  ],
])('%s is told where it stands', (_what, text, message) => {
  expect(issues(text)).toContain(message);
});
