import { expect, test } from 'vitest';
import { componentsOf, regionControl } from '../../../lab/region.ts';
import { samplePlan } from './sample-plan.ts';

test('a region means all of its processes, flink two of them, any other name one', () => {
  expect(componentsOf(undefined)).toEqual(['kafka', 'objects', 'jobmanager', 'taskmanager', 'ingest']);
  expect(componentsOf('flink')).toEqual(['jobmanager', 'taskmanager']);
  expect(componentsOf('kafka')).toEqual(['kafka']);
});

test('refuses a component and a region that are not there as a wrong call', () => {
  expect(() => componentsOf('zookeeper')).toThrow(expect.objectContaining({ code: 'NoSuchComponent', exitCode: 2 }));
  expect(() => regionControl(samplePlan(), 'paris')).toThrow(
    expect.objectContaining({ code: 'NoSuchRegion', exitCode: 2 }),
  );
});

test('shows a region without processes as stopped', async () => {
  const status = await regionControl(samplePlan(), 'mumbai').status();
  expect(status.map((c) => c.state)).toEqual(Array(5).fill('stopped'));
});
