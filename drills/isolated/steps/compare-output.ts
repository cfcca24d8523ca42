import { evidence } from '../../../runbooks/failover/failover-step.ts';
import type { OutputComparison } from '../../drill-report.ts';
import type { IsolatedStep } from '../context.ts';
import { jobsNow } from './start-jobs.ts';

/** How long the jobs may take to read as far as a later checkpoint of production's. */
const patienceMs = 180_000;

/** Lets the jobs read as far as production had when it took a later checkpoint, and holds what they wrote beside its output. */
export function compareOutputs(words: Pick<IsolatedStep, 'title' | 'manual'>): IsolatedStep {
  let beganAt: number | undefined;
  const compared = new Map<string, readonly OutputComparison[]>();
  return {
    id: 'compare-output',
    ...words,
    waitsFor: 'the jobs’ checkpoints',
    timeoutMs: 600_000,
    pollMs: 1_000,
    onFailure: { kind: 'stop', hint: '`argus runs show` tells the first difference of each topic' },
    async observe() {
      return { kind: 'todo' };
    },
    async act() {
      // Nothing to do but to look.
    },
    async verify(context, { points = [] }, io) {
      const { standby, questions, findings } = context;
      beganAt ??= io.clock.monotonic();
      const looked = await jobsNow(context, io.signal);
      if (looked.kind !== 'alive') return looked;
      for (const job of context.jobs.filter(({ config }) => !compared.has(config.name))) {
        const { latestCompleted } = await standby.flink.checkpoints(job.flinkJobId, { signal: io.signal });
        const point = points.find((each) => each.job === job.config.name)?.manifest;
        if (latestCompleted === undefined || point === undefined) {
          return { kind: 'pending', waitingFor: `a checkpoint of ${job.config.name}` };
        }
        const last = io.clock.monotonic() - beganAt >= patienceMs;
        const asked = await questions.compare(
          { ...job, point, newestCheckpoint: latestCompleted.path },
          { last, signal: io.signal },
        );
        if (asked.kind === 'waiting') return { kind: 'pending', waitingFor: asked.for };
        compared.set(job.config.name, asked.comparisons);
        findings.comparisons.push(...asked.comparisons);
      }
      const comparisons = [...compared.values()].flat();
      for (const each of comparisons.filter(differs)) {
        const first = each.kind === 'compared' && each.first !== undefined ? `: ${each.first}` : '';
        const message = `${each.job} wrote to ${each.topic} in the drill what it did not in production${first}`;
        findings.causes.push({ code: 'OutputDiffers', message, job: each.job });
      }
      const cause = findings.causes.find(({ code }) => code === 'OutputDiffers');
      if (cause !== undefined) {
        return { kind: 'failed', error: { code: cause.code, message: cause.message } };
      }
      return { kind: 'done', evidence: evidence({ comparisons }) };
    },
  };
}

/** Whether a comparison found anything. Pure. */
function differs(comparison: OutputComparison): boolean {
  if (comparison.kind === 'skipped') return false;
  const { missing, unexpected, differing } = comparison;
  return missing + unexpected + differing > 0;
}
