import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bubbleOf } from '../../../../domain/bubble.ts';
import type { JobConfig } from '../../../../domain/config.ts';
import { planDrill } from '../../../../drills/isolated/plan.ts';
import { fixtureFile, fixtureObjects } from '../../../support/kubernetes-fixtures.ts';
import { drillConfig } from './world.ts';

type Spec = Readonly<Record<string, unknown>>;
const bubble = bubbleOf('20261122T033000Z-drill-ab12');
const sample = readFileSync(fixtureFile('flink-cluster-drill.yaml'), 'utf8');
const [plain] = drillConfig.jobs as [JobConfig];
const place = { namespace: 'argus-drills', manifest: 'drill.yaml' };
const { submit: _, ...bare } = {
  ...plain,
  drill: { ...plain.drill!, args: undefined, kubernetes: { singapore: place } },
};

/** The plan of a drill of one job, made from this text. */
function planOf(text: string | undefined, over: Partial<JobConfig> = {}) {
  const manifest = text === undefined ? {} : { manifest: { name: 'drill.yaml', text } };
  return planDrill({
    bubble,
    region: 'singapore',
    storeUri: 's3://standby',
    configured: [{ config: { ...bare, ...over } as JobConfig, jarPath: '', ...manifest }],
    only: undefined,
    ownCluster: true,
    deployments: true,
    slots: undefined,
    unreadableJars: new Set(['']),
  });
}
const blockerOf = (text: string | undefined, over?: Partial<JobConfig>) => planOf(text, over).blockers[0];
const setting = (line: string) => sample.replace('  flinkConfiguration:\n', `  flinkConfiguration:\n    ${line}\n`);

describe('the FlinkDeployment of a drill', () => {
  test('has names of the drill alone', () => {
    const { jobs, blockers } = planOf(sample);
    expect(blockers).toEqual([]);
    const [job] = jobs;
    const folder = 's3://standby/argus/drills/20261122t033000z-ab12/counts/checkpoints';
    expect(job?.manifest).toMatchObject({
      kind: 'FlinkDeployment',
      metadata: { name: 'argus-drill-20261122t033000z-ab12-0', namespace: 'argus-drills' },
      spec: {
        flinkConfiguration: {
          'state.backend.type': 'rocksdb',
          'execution.checkpointing.dir': folder,
          'state.savepoints.dir': `${folder}/savepoints`,
          'high-availability.type': 'NONE',
        },
        job: { upgradeMode: 'stateless', parallelism: 2 },
      },
    });
    const { args } = (job!.manifest!.spec as { readonly job: { readonly args: readonly string[] } }).job;
    expect(args.slice(4, 10)).toEqual([
      '--out',
      'argus.drill.20261122t033000z-ab12.metrics',
      '--group',
      'argus-drill-20261122t033000z-ab12-counts',
      '--txid',
      'argus-drill-20261122t033000z-ab12-counts',
    ]);
    expect([...job!.topics]).toEqual([['metrics', 'argus.drill.20261122t033000z-ab12.metrics']]);
  });

  test('has what the session cluster gave, where production runs a FlinkSessionJob', () => {
    const { jobs, blockers } = planOf(readFileSync(fixtureFile('flink-session-drill.yaml'), 'utf8'));
    expect(blockers).toEqual([]);
    const [cluster, session] = fixtureObjects('flink-session-standby.yaml').map(({ spec }) => spec as Spec);
    const spec = jobs[0]?.manifest?.spec as Spec;
    for (const key of ['flinkVersion', 'serviceAccount', 'jobManager', 'taskManager']) {
      expect({ replicas: 1, ...(spec[key] as object) }).toEqual({ replicas: 1, ...(cluster?.[key] as object) });
    }
    const own = Object.entries(cluster?.flinkConfiguration ?? {}).filter(
      // Places of state, and what keeps TaskManagers without a job, are not a drill's.
      ([key]) => !/^(high-availability|slotmanager)\.|\.dir$/.test(key),
    );
    expect(own.length).toBeGreaterThan(3);
    expect(spec.flinkConfiguration).toMatchObject(Object.fromEntries(own));
    const { entryClass, parallelism } = (session?.job ?? {}) as Spec;
    expect(spec.job).toMatchObject({ entryClass, parallelism });
  });

  test('may have placeholders that YAML would take for something else', () => {
    const { jobs } = planOf(sample.replaceAll(/"(\{.*\})"/g, '$1'));
    expect(JSON.stringify(jobs[0]?.manifest)).toContain('"argus-drill-20261122t033000z-ab12-counts"');
    expect(JSON.stringify(jobs[0]?.manifest)).not.toContain('__argus');
  });

  test('keeps nothing for another one to be restored from', () => {
    const text = setting('high-availability.type: kubernetes\n    high-availability.storageDir: s3://prod/ha');
    expect(JSON.stringify(planOf(text).jobs[0]?.manifest)).not.toContain('s3://prod');
  });

  test('has nothing that needs high availability', () => {
    const said = 'kubernetes.jobmanager.replicas: "2"\n    kubernetes.operator.deployment.rollback.enabled: "true"';
    const text = setting(said).replace('  jobManager:\n', '  jobManager:\n    replicas: 2\n');
    const spec = planOf(text).jobs[0]?.manifest?.spec;
    expect(spec).toMatchObject({
      flinkConfiguration: { 'kubernetes.operator.deployment.rollback.enabled': 'false' },
      jobManager: { replicas: 1, resource: { memory: '1024m' } },
    });
    expect(spec).not.toHaveProperty(['flinkConfiguration', 'kubernetes.jobmanager.replicas']);
  });

  test('is restored as the drill says, and with all of its state', () => {
    const path = 's3://prod/chk-1';
    const said = `execution.savepoint.path: ${path}
    execution.savepoint.ignore-unclaimed-state: "true"
    execution.savepoint-restore-mode: CLAIM
    execution.state-recovery.path: ${path}
    execution.state-recovery.claim-mode: CLAIM
    execution.state-recovery.ignore-unclaimed-state: "true"`;
    const text = setting(said).replace('  job:\n', '  job:\n    allowNonRestoredState: true\n');
    const { jobs, blockers } = planOf(text);
    expect(blockers).toEqual([]);
    expect(jobs[0]?.manifest).toMatchObject({ spec: { job: { allowNonRestoredState: false } } });
    expect(JSON.stringify(jobs[0]?.manifest)).not.toMatch(/CLAIM|unclaimed|s3:\/\/prod/);
  });

  test.each([
    ['{group}', 'counts'],
    ['{transactionalIdPrefix}', 'counts'],
    ['{topic:metrics}', 'metrics'],
    ['{topic:metrics}', 'metrics # {topic:metrics}'],
  ])('is refused where %s is %s', (lacking, instead) => {
    const text = sample.replace(`"${lacking}"`, instead);
    expect(blockerOf(text)).toMatchObject({
      code: 'DrillArgsIncomplete',
      message: `drill.kubernetes of counts for singapore lacks ${lacking}: it would use production's`,
    });
  });

  test.each([
    ['other objects', `${sample}---\n{ apiVersion: v1, kind: ConfigMap, metadata: { name: flink-config } }\n`, 'kind'],
    ['no object', '', 'no FlinkDeployment'],
    ['a folder of its own', setting('jobmanager.archive.fs.dir: s3://prod/archive'), 's3://prod/archive'],
    ['a folder beside the bubble', setting('x.dir: "{checkpoints}/../../x"'), 'below {checkpoints}'],
    ['settings whose keys are in parts', setting('high-availability: { type: kubernetes }'), 'high-availability'],
    ['an ingress', sample.replace('  image:', '  ingress: { template: x.example }\n  image:'), 'spec.ingress'],
    ['another namespace', sample.replace('name: argus-flink-drill', 'name: x\n  namespace: argus-data'), 'argus-data'],
    ['a session cluster', sample.replace(/ {2}job:[\s\S]*/, ''), 'spec.job'],
  ])('is refused with %s', (_what, text, told) => {
    expect(blockerOf(text)).toMatchObject({ code: 'ManifestInvalid', message: expect.stringContaining(told) });
  });

  test('is needed, and `writes` beside it', () => {
    expect(blockerOf(undefined)).toMatchObject({ code: 'DrillNotConfigured' });
    const silent = Object.fromEntries(Object.entries(bare).filter(([key]) => key !== 'writes'));
    const plan = { ...silent, writes: undefined } as unknown as Partial<JobConfig>;
    expect(blockerOf(sample, plan)).toMatchObject({ code: 'WritesUnknown' });
  });
});
