import { askRest, submitJob, untilJobRuns } from './components/flink-job.ts';
import { drillComponents } from './components/probes.ts';
import { names, type RegionName } from './lab-info.ts';
import type { PartStarter } from './start-parts.ts';

/** The parts of a region without Kubernetes: broker, objects, session cluster, ingest; on the primary the job. */
export async function localRegionParts(name: RegionName, starter: PartStarter): Promise<string> {
  const { component, kafka, step } = starter;
  const serving = async (): Promise<string> => {
    await Promise.all([
      kafka(name),
      component(name, 'objects'),
      component(name, 'jobmanager'),
      component(name, 'taskmanager'),
      ...(starter.info.regions[name].drill ? drillComponents.map((each) => component(name, each)) : []),
    ]);
    return name === names.primary ? step('job', () => runJob(starter)) : '';
  };
  const [jobId] = await Promise.all([serving(), component(name, 'ingest')]);
  return jobId;
}

/** Broker and objects alone. */
export async function brokerRegionParts(name: RegionName, { component, kafka }: PartStarter): Promise<string> {
  await Promise.all([kafka(name), component(name, 'objects')]);
  return 'none';
}

async function runJob({ info, signal }: PartStarter): Promise<string> {
  const jobId = await submitJob(info, names.primary, signal);
  await untilJobRuns(askRest(info.regions[names.primary].flink.rest), jobId, { timeoutMs: 60_000, signal });
  return jobId;
}
