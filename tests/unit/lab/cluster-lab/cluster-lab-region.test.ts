import { expect, test } from 'vitest';
import { clusterComponentsOf, startableOf } from '../../../../lab/cluster-lab/cluster-lab-region.ts';

const process = (component: string, frozen = false) => ({ component: `mumbai/${component}`, frozen });
const kubernetes = [process('namespaces'), process('control'), process('kubelet')];

test('a component of regions without pods is refused as a wrong call', () => {
  expect(clusterComponentsOf('operator')).toEqual(['operator']);
  expect(() => clusterComponentsOf('jobmanager')).toThrow(
    expect.objectContaining({ code: 'NoSuchComponent', exitCode: 2 }),
  );
});

test('what runs is not started again', () => {
  expect(startableOf('mumbai', undefined, [...kubernetes, process('kafka')])).toEqual([
    'objects',
    'ingest',
    'operator',
  ]);
  expect(startableOf('mumbai', 'kafka', [...kubernetes, process('kafka')])).toEqual([]);
});

test('of a region that was killed only what is named starts, and never its Kubernetes', () => {
  const killed = [process('namespaces')];
  expect(startableOf('mumbai', 'kafka', killed)).toEqual(['kafka']);
  for (const choice of [undefined, 'control']) {
    expect(() => startableOf('mumbai', choice, killed)).toThrow(
      expect.objectContaining({ code: 'NotStartable', exitCode: 3 }),
    );
  }
});

test('nothing starts in a region that was ended, nor what is frozen', () => {
  expect(() => startableOf('mumbai', 'kafka', [])).toThrow(expect.objectContaining({ code: 'RegionEnded' }));
  expect(() => startableOf('mumbai', 'kafka', [...kubernetes, process('kafka', true)])).toThrow(
    expect.objectContaining({ code: 'ComponentFrozen', exitCode: 3 }),
  );
});
