import { expect, test } from 'vitest';
import { bubbleOf } from '../../../../domain/bubble.ts';
import { drillManifest as asDrilled } from '../../../../drills/isolated/drill-manifest.ts';
import { filler, lackingPlaceholders } from '../../../../drills/isolated/placeholders.ts';
import { drillManifest, drillSurroundings } from '../../../../lab/cluster-job/drill-objects.ts';
import type { ClusterJobPlace } from '../../../../lab/cluster-job/job-objects.ts';
import { drillArgs } from '../../../../lab/lab-config.ts';
import { samplePlan } from '../sample-plan.ts';

const place: ClusterJobPlace = {
  image: { name: 'localhost/argus-flink:1', jarUri: 'local:///opt/flink/usrlib/counts.jar' },
  brokers: '10.201.2.2:9092',
  objects: { endpoint: 'http://10.201.2.2:9000', bucket: 'replica', accessKeyId: 'key', secretAccessKey: 'hidden' },
  transactionalIdPrefix: 'counts-singapore',
};
const text = drillManifest(place, drillArgs(samplePlan('cluster', 'cold', false, true)));

test('the manifest is one that a drill takes, and of production nothing is left in it but what is read', () => {
  const bubble = bubbleOf('20261122T033000Z-drill-ab12');
  const checkpoints = 's3://replica/argus/drills/some/checkpoints';
  const names = { group: bubble.group('counts'), transactionalIdPrefix: bubble.transactionalIdPrefix('counts') };
  const filled = filler(bubble, { ...names, checkpoints });
  const object = asDrilled({
    file: { name: 'flink-cluster-drill.yaml', text },
    name: bubble.kubernetes(0),
    namespace: 'argus-drills',
    checkpoints,
    filler: filled,
  });
  expect(lackingPlaceholders(['metrics'], filled.used)).toEqual([]);
  const { flinkConfiguration, job } = object.spec as { flinkConfiguration: object; job: { args: string[] } };
  expect(Object.values(flinkConfiguration).filter((value) => `${value}`.startsWith('s3://'))).toEqual([
    checkpoints,
    checkpoints,
    `${checkpoints}/savepoints`,
    `${checkpoints}/savepoints`,
  ]);
  expect(job.args).toContain(bubble.topic('metrics'));
  expect(JSON.stringify(object)).not.toMatch(/counts-singapore|"metrics"|"counts"/);
});

test('drills have their namespace, and keys of their own to the bucket in a Secret alone', () => {
  const objects = drillSurroundings(place.objects);
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? metadata.name}`)).toEqual([
    'Namespace argus-drills',
    'ServiceAccount argus-drills',
    'Role argus-drills',
    'RoleBinding argus-drills',
    'Secret argus-drills',
  ]);
  expect(text).not.toContain('hidden');
});
