import { expect, test } from 'vitest';
import { parseConfig } from '../../../cli/config/parse.ts';
import { renderConfig, renderEnv } from '../../../lab/lab-config.ts';
import { samplePlan } from './sample-plan.ts';

const info = samplePlan();
const text = renderConfig(info);
const config = parseConfig(text, 'argus.yaml');

test('Argus at the standby reaches the primary through the link, and its own region directly', () => {
  expect(config.regions.mumbai?.kafka.bootstrap).toEqual([info.regions.mumbai.kafka.remote.singapore]);
  expect(config.regions.singapore?.kafka.bootstrap).toEqual([info.regions.singapore.kafka.inside]);
  expect(config.regions.mumbai?.flink.rest).not.toBe(info.regions.mumbai.flink.rest);
  expect(config.regions.mumbai?.objects.endpoint).not.toBe(info.regions.mumbai.objects.endpoint);
  expect(config.regions.singapore?.objects.endpoint).toBe(info.regions.singapore.objects.endpoint);
});

test('the state lies in a bucket of the standby', () => {
  expect(config.state).toMatchObject({
    url: 's3://argus-state/lab',
    endpoint: info.regions.singapore.objects.endpoint,
  });
});

test('the job writes to the broker of the region that it runs in', () => {
  const args = config.jobs[0]?.submit?.args ?? {};
  expect(args.mumbai).toContain(info.regions.mumbai.kafka.inside);
  expect(args.singapore).toContain(info.regions.singapore.kafka.inside);
  expect(args.singapore).toContain('counts-singapore');
});

test('no secret stands in the configuration, and each of its references has a value', () => {
  for (const value of Object.values(info.env)) if (!value.startsWith('lab-')) expect(text).not.toContain(value);
  const references = [...text.matchAll(/env:([A-Z_]+)/g)].map((m) => m[1]);
  expect(new Set(references)).toEqual(new Set(Object.keys(info.env)));
  expect(renderEnv(info)).toContain(`CLOUDFLARE_API_TOKEN=${info.dns.token}\n`);
});

test("with pods Argus has each region's API server, the primary's through the link, and the job's FlinkDeployments", () => {
  const cluster = parseConfig(renderConfig(samplePlan('cluster')), 'argus.yaml');
  expect(cluster.regions.mumbai?.kubernetes?.kubeconfig).toBe('/tmp/some-lab/mumbai-kubeconfig.yaml');
  expect(cluster.regions.singapore?.kubernetes?.kubeconfig).toBe('/tmp/some-lab/singapore/control/kubeconfig');
  for (const region of Object.values(cluster.regions)) expect(region.flink.kubernetes).toBeDefined();
  expect(cluster.jobs[0]?.submit).toBeUndefined();
  expect(cluster.jobs[0]?.kubernetes?.singapore).toMatchObject({
    namespace: 'argus-data',
    deployment: 'argus-flink',
    manifest: '/tmp/some-lab/flink-cluster-standby.yaml',
    restorePath: { configMap: 'flink-config', key: 'restore-path' },
  });
});

test('on a warm standby the job is a session job of the cluster that waits', () => {
  const { jobs } = parseConfig(renderConfig(samplePlan('cluster', 'warm')), 'argus.yaml');
  expect(jobs[0]?.kubernetes?.singapore).toMatchObject({
    deployment: 'argus-session',
    sessionJob: 'argus-counts',
    standby: 'warm',
    manifest: '/tmp/some-lab/flink-session-standby.yaml',
  });
  expect(jobs[0]?.kubernetes?.mumbai).toMatchObject({ deployment: 'argus-flink' });
  expect(jobs[0]?.kubernetes?.mumbai?.sessionJob).toBeUndefined();
});

test('drills have a session cluster, a principal and names of their own, and the output is mirrored', () => {
  const place = samplePlan('local', 'cold', true, true);
  const drilled = parseConfig(renderConfig(place), 'argus.yaml');
  const { flink, kafka, drill } = place.regions.singapore;
  expect(drilled.drill.regions.singapore).toMatchObject({
    flink: { rest: drill?.flink?.rest },
    principal: 'User:drill',
  });
  expect(drill?.flink?.rest).not.toBe(flink.rest);
  expect(drilled.topics).toEqual(['events', 'metrics']);
  expect(drilled.jobs[0]?.writes).toEqual(['metrics']);
  const args = drilled.jobs[0]?.drill?.args?.singapore?.join(' ');
  expect(args).toBe(
    `--brokers ${kafka.inside} --in events --out {topic:metrics} --group {group} --txid {transactionalIdPrefix} --user drill`,
  );
  expect(config.jobs[0]?.drill).toBeUndefined();
  const ports = [...JSON.stringify(place).matchAll(/:(20\d{3})\b/g)].map((m) => Number(m[1]));
  expect(Math.max(...ports)).toBeLessThan(20_064);
});

test('with pods drills have a namespace of their own and a manifest, and nobody logs in', () => {
  const place = samplePlan('cluster', 'cold', false, true);
  const drilled = parseConfig(renderConfig(place), 'argus.yaml');
  expect(drilled.drill.regions).toEqual({});
  expect(drilled.topics).toEqual(['events', 'metrics']);
  expect(drilled.jobs[0]).toMatchObject({
    writes: ['metrics'],
    kubernetes: { singapore: { namespace: 'argus-data' } },
  });
  expect(drilled.jobs[0]?.drill).toMatchObject({
    kubernetes: { singapore: { namespace: 'argus-drills', manifest: '/tmp/some-lab/flink-cluster-drill.yaml' } },
  });
  expect(drilled.jobs[0]?.drill?.args).toBeUndefined();
  expect(place.regions.singapore.drill).toMatchObject({ accessKeyId: 'lab-drill' });
  expect(place.regions.mumbai.drill).toBeUndefined();
});

test('each observer has the view of its own place, and the state lies outside both regions behind links', () => {
  const watched = samplePlan('local', 'cold', true);
  const { regions, observers } = watched;
  const ports = [...JSON.stringify(watched).matchAll(/:(20\d{3})\b/g)].map((m) => Number(m[1]));
  expect(Math.max(...ports)).toBeLessThan(20_064);
  const of = (place: 'mumbai' | 'singapore' | 'outside') => parseConfig(renderConfig(watched, place), 'argus.yaml');
  expect(of('mumbai').regions.mumbai?.kafka.bootstrap).toEqual([regions.mumbai.kafka.inside]);
  expect(of('outside').regions.mumbai?.kafka.bootstrap).toEqual([regions.mumbai.kafka.remote.outside]);
  expect(of('outside').regions.singapore?.flink.rest).not.toBe(regions.singapore.flink.rest);
  expect(of('outside').state).toMatchObject({ endpoint: observers?.objects.endpoint });
  expect(of('mumbai').state).toMatchObject({ endpoint: expect.stringMatching(/^http:\/\/127\.0\.1\.1:/) });
  expect(of('singapore').automatic.observers.map((o) => o.place)).toEqual(['mumbai', 'singapore', 'outside']);
  expect(of('singapore').probes.ingress.mumbai).toBe(`${regions.mumbai.ingest.public}/healthz`);
  const references = [...renderConfig(watched, 'outside').matchAll(/env:([A-Z_]+)/g)].map((m) => m[1] ?? '');
  for (const name of references) expect(watched.env[name]).toBeDefined();
});
