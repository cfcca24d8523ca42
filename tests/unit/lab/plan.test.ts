import { expect, test } from 'vitest';
import { regionNames } from '../../../lab/lab-info.ts';
import { samplePlan } from './sample-plan.ts';

const info = samplePlan();

test.each(['local', 'cluster'] as const)('no two listeners of a %s lab share an address and a port', (flavour) => {
  const info = samplePlan(flavour);
  const listeners = regionNames.flatMap((name) => {
    const { kafka, objects, flink, ingest } = info.regions[name];
    const own = [kafka.inside, kafka.auditor, kafka.controller, ...Object.values(kafka.remoteListener)];
    const flinkPorts = Object.values(flink.ports).map((port) => `${info.regions[name].address}:${port}`);
    const rest = flavour === 'local' ? [flink.rest] : [];
    return [...own, ...flinkPorts, ...rest, objects.endpoint, ingest.direct];
  });
  listeners.push(...info.links.map((l) => l.listen), info.toxiproxy, info.dns.apiUrl, info.dns.server);
  const bare = listeners.map((l) => l.replace('http://', '').replace(/\/.*$/, ''));
  expect(new Set(bare).size).toBe(bare.length);
});

test('a broker is reached from another region by the address that the link listens on there', () => {
  const link = info.links.find((l) => l.name === 'singapore-mumbai-kafka');
  expect(link?.listen).toBe(info.regions.mumbai.kafka.remote.singapore);
  expect(link?.upstream).toBe(info.regions.mumbai.kafka.remoteListener.singapore);
  expect(link?.listen.startsWith(`${info.regions.singapore.address}:`)).toBe(true);
});

test('the ingest answers on the same port at the address of either region', () => {
  for (const name of regionNames) {
    const { address, ingest } = info.regions[name];
    expect(ingest.public).toBe(`http://${address}:${info.ingestPort}`);
    expect(info.links.find((l) => l.name === `outside-${name}-ingest`)?.listen).toBe(`${address}:${info.ingestPort}`);
  }
});

test('from the other region there is a way to Kafka, objects and Flink, and none from a region to itself', () => {
  const ways = info.links.filter((l) => l.from === 'singapore').map((l) => `${l.to} ${l.service}`);
  expect(ways.sort()).toEqual(['mumbai flink', 'mumbai kafka', 'mumbai objects']);
});

test('each region has its own keys, and only the standby holds the state', () => {
  const { mumbai, singapore } = info.regions;
  expect(mumbai.objects.secretAccessKey).not.toBe(singapore.objects.secretAccessKey);
  expect(mumbai.objects.buckets).toEqual(['argus-flink-checkpoints']);
  expect(singapore.objects.buckets).toEqual(['argus-flink-checkpoints-replica', 'argus-state']);
});

test('what belongs to a region with pods listens on its node, and names and links are outside of it', () => {
  const cluster = samplePlan('cluster');
  for (const name of regionNames) {
    const { address, kafka, objects, ingest } = cluster.regions[name];
    const node = cluster.cluster?.regions[name].record.addresses.node;
    const own = [kafka.inside, kafka.auditor, kafka.controller, ...Object.values(kafka.remoteListener)];
    const urls = [objects.endpoint, ingest.direct].map((url) => url.replace('http://', ''));
    for (const listener of [...own, ...urls]) expect(listener.split(':')[0]).toBe(node);
    expect(ingest.public).toBe(`http://${address}:${cluster.ingestPort}`);
    expect(address).toBe(info.regions[name].address);
  }
  for (const { listen } of cluster.links) expect(listen).toMatch(/^127\./);
});

test('the Flink of a region with pods is reached from the other one through its API server', () => {
  const ways = samplePlan('cluster').links.filter((l) => l.from === 'singapore');
  expect(ways.map((l) => `${l.to} ${l.service}`).sort()).toEqual([
    'mumbai kafka',
    'mumbai kubernetes',
    'mumbai objects',
  ]);
  expect(ways.find((l) => l.service === 'kubernetes')?.upstream).toBe('10.201.1.2:6443');
});
