import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tryManifest } from '../../../../regions/flink/flink-kubernetes-start.ts';
import { readManifest } from '../../../../regions/flink/flink-manifest.ts';
import type { KubernetesApi, KubernetesObject } from '../../../../regions/kubernetes/kubernetes-api.ts';
import { fixtureFile } from '../../../support/kubernetes-fixtures.ts';

const place = { namespace: 'argus-data', deployment: 'argus-flink' };
const sample = readFileSync(fixtureFile('flink-cluster-standby.yaml'), 'utf8');

test.each(['execution.savepoint-restore-mode', 'execution.state-recovery.claim-mode'])(
  'a manifest whose %s is CLAIM leaves Flink no right to delete what it restores',
  async (key) => {
    const text = sample.replace('  flinkConfiguration:\n', `  flinkConfiguration:\n    ${key}: CLAIM\n`);
    expect(text).toContain(`${key}: CLAIM`);
    const applied: KubernetesObject[] = [];
    const keep = async (object: KubernetesObject) => applied.push(object);
    const kubernetes = { apply: keep, create: keep } as unknown as KubernetesApi;
    const manifest = readManifest([{ name: 'standby.yaml', text }], place);
    const seen = { object: undefined, deployment: undefined, pods: [] };
    await tryManifest(kubernetes, { name: 'counts', ...place }, { manifest, seen }, {});
    const made = applied.filter(({ kind }) => kind === 'FlinkDeployment');
    expect(made).toHaveLength(2);
    for (const { spec } of made)
      expect(spec).toMatchObject({
        flinkConfiguration: {
          'execution.savepoint-restore-mode': 'NO_CLAIM',
          'execution.state-recovery.claim-mode': 'NO_CLAIM',
        },
      });
  },
);
