import type { Bubble } from '../../domain/bubble.ts';
import { bubblePrefixes } from '../../domain/bubble.ts';
import type { DrilledJob, IsolatedStep } from './context.ts';
import { awaitDrillCheckpoints } from './steps/await-checkpoints.ts';
import { choosePoint } from './steps/choose-point.ts';
import { checkLeaks, tearDown } from './steps/clean-up.ts';
import { compareOutputs } from './steps/compare-output.ts';
import { makeBubble } from './steps/make-bubble.ts';
import { proveReplica } from './steps/prove-replica.ts';
import { startDrillJobs } from './steps/start-jobs.ts';
import { takeInventoryStep } from './steps/take-inventory.ts';

/** What the steps' words are made of. */
export interface DrillScene {
  readonly from: string;
  readonly to: string;
  readonly bubble: Bubble;
  readonly jobs: readonly DrilledJob[];
  /** `file:/…` or `s3://…`: the standby's bucket. */
  readonly storeUri: string;
}

/** The runbook of an isolated drill. */
export function isolatedSteps({ from, to, bubble, jobs, storeUri }: DrillScene): readonly IsolatedStep[] {
  const names = jobs.map(({ config }) => config.name).join(', ');
  const topics = [...new Set(jobs.flatMap((job) => [...job.topics.values()]))].join(', ');
  const folder = `${storeUri}/${bubblePrefixes.object}${bubble.tag}/`;
  const words = (title: string, manual: readonly string[]) => ({ title, manual });
  const cleaning = ['argus drill clean'];
  return [
    takeInventoryStep(words(`Count what ${to} has of drills, and remove what earlier ones left`, cleaning)),
    choosePoint(
      words(`Choose what ${names} would be restored from, as a failover from ${from} would`, [
        'argus recovery-points --explain',
      ]),
    ),
    proveReplica(
      words(`Read the chosen points and the mirrored log, byte for byte`, [
        'argus checkpoints verify',
        'argus mirror verify',
      ]),
    ),
    makeBubble(
      words(`Make ${topics === '' ? 'no topic' : topics} and the drill's own state in ${folder}`, [
        ...[...new Set(jobs.flatMap((job) => [...job.topics.values()]))].map(
          (topic) => `kafka-topics.sh --create --topic ${topic}`,
        ),
      ]),
    ),
    startDrillJobs(
      words(
        `Start ${names} on ${to} in the bubble`,
        jobs.map(({ config, jarPath, args, restore, manifest }) =>
          manifest !== undefined
            ? `kubectl apply -f ${manifest.metadata.namespace}/${manifest.metadata.name}.yaml # jobs[].drill.kubernetes, filled in`
            : `flink run -s ${storeUri}/${restore}/metadata -c ${config.submit?.entryClass ?? ''} ${jarPath} ${args.join(' ')}`.trim(),
        ),
      ),
    ),
    awaitDrillCheckpoints(words(`Wait until ${names} completed a checkpoint of its own`, ['flink list'])),
    compareOutputs(words(`Compare what ${names} wrote with what ${from}'s committed`, [])),
    tearDown(words(`End the jobs of the drill and remove all that it made`, cleaning)),
    checkLeaks(words('Count again: nothing may be left', cleaning)),
  ];
}
