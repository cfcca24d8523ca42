import type { LabInfo } from '../../../lab/lab-info.ts';
import { planLab } from '../../../lab/plan.ts';

/** A planned lab with ports from 20001 on and readable secrets. */
export function samplePlan(): LabInfo {
  let port = 20_000;
  let secret = 0;
  return planLab({
    id: '00000000-0000-4000-8000-000000000001',
    dir: '/tmp/some-lab',
    nowMs: 0,
    artifacts: {
      java: '/java',
      kafkaLibs: '/kafka',
      flinkLibs: '/flink',
      flinkPlugins: '/plugins',
      jobJar: '/counts-job.jar',
      versitygw: '/versitygw',
      toxiproxy: '/toxiproxy',
    },
    flink: { version: '2.2', settings: {} },
    anchorPort: 20_000,
    takePort: () => ++port,
    secret: () => `secret-${++secret}`,
  });
}
