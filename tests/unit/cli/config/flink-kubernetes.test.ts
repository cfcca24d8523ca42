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

/** With a session cluster in Singapore. */
const session = yaml.replace(
  'argus-flink\n        manifest',
  'argus-flink\n        sessionJob: argus-counts\n        standby: warm\n        manifest',
);

function twoJobs(text: string, change: (second: string) => string): string {
  const job = /( {2}- name: counts\n[\s\S]*?)(?=dns:)/;
  return text.replace(
    job,
    (found) => found + change(found.replace('counts', 'enrich').replace(/mumbai: .*\n/, mumbai2)),
  );
}
const mumbai2 = 'mumbai: { namespace: argus-data, deployment: argus-second }\n';

test('two jobs may share a session cluster', () => {
  const shared = twoJobs(session, (second) => second.replace('argus-counts', 'argus-enrich'));
  expect(issues(shared)).toBe('');
  const place = parseConfig(shared, 'argus.yaml').jobs[1]?.kubernetes?.singapore;
  expect(place).toMatchObject({ deployment: 'argus-flink', sessionJob: 'argus-enrich', standby: 'warm' });
});

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
  [
    'one FlinkSessionJob of two jobs, also of two clusters',
    twoJobs(session, (second) => second.replace('argus-flink\n        session', 'argus-other\n        session')),
    'jobs[1].kubernetes.singapore: another job has the same FlinkSessionJob',
  ],
  [
    'a session cluster that is a job of its own',
    twoJobs(session, (second) => second.replace('        sessionJob: argus-counts\n', '')),
    'jobs[1].kubernetes.singapore: another job has the same FlinkDeployment: as a session cluster it has no job of its own',
  ],
  ['another word for warm', session.replace('standby: warm', 'standby: hot'), 'jobs[0].kubernetes.singapore.standby'],
])('%s is told where it stands', (_what, text, message) => {
  expect(issues(text)).toContain(message);
});

/** With FlinkDeployments for drills in Singapore. */
const withDrill = (place: string, region = 'singapore') =>
  yaml.replace('dns:', `    drill: { kubernetes: { ${region}: ${place} } }\ndns:`);

test('a drill may have a FlinkDeployment of its own', () => {
  const place = { namespace: 'argus-drills', manifest: 'drill.yaml' };
  const config = parseConfig(withDrill('{ namespace: argus-drills, manifest: drill.yaml }'), 'argus.yaml');
  expect(config.jobs[0]?.drill).toMatchObject({ muted: false, kubernetes: { singapore: place } });
});

test.each([
  ['production’s namespace', withDrill('{ namespace: argus-data, manifest: d.yaml }'), "is production's"],
  ['no manifest', withDrill('{ namespace: argus-drills }'), 'manifest'],
  [
    'another region',
    withDrill('{ namespace: argus-drills, manifest: d.yaml }', 'delhi'),
    'no region is called "delhi"',
  ],
  [
    'a region without the operator',
    sampleYaml.replace('dns:', '    drill: { kubernetes: { singapore: { namespace: d, manifest: d.yaml } } }\ndns:'),
    'regions.singapore has no flink.kubernetes',
  ],
])('refuses a FlinkDeployment for drills with %s', (_, text, told) => {
  expect(issues(text)).toContain(told);
  expect(issues(text)).toContain('drill');
});
