import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { ArgusError, describeError } from '../../../domain/errors.ts';
import type { FlinkCheckpoints, FlinkJob, JobHealth } from '../../../regions/flink/flink-jobs.ts';
import type { StepIo } from '../../engine/step.ts';
import type { FailoverContext } from '../context.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { reasonToGiveUp, type Watched, watchHealth } from '../give-up.ts';
import { isTerminal } from '../standby-job.ts';

/** So long a job's health is good for: asking for it takes several calls. */
const healthForMs = 2_000;

/**
 * Waits until each job has completed a checkpoint of its own: the first proof that it recovered. A job that is RUNNING,
 * or reads records, may still fail over its state. Where the platform tells why one doesn't come up, this isn't waited
 * out: it fails with the cause.
 */
export function awaitCheckpoint(words: StepWords): FailoverStep {
  /** Jobs that have recovered, with the checkpoint that shows it: they are asked no more. */
  const recovered = new Map<string, FlinkCheckpoints['latestCompleted']>();
  const watched = new Map<string, Seen>();
  return {
    id: 'await-checkpoint',
    ...words,
    waitsFor: 'Flink of the standby',
    timeoutMs: 300_000,
    onFailure: {
      kind: 'stop',
      hint: "see the job's exceptions and checkpoints in the standby's Flink; then run `argus failover` again",
    },
    async observe() {
      return { kind: 'todo' };
    },
    async act() {
      // Nothing to do but to look.
    },
    async verify(context, facts, io) {
      const { flink, name: standby } = context.standby;
      const jobs = await flink.list({ signal: io.signal });
      const looks = await eachAtOnce(Object.entries(facts.startedJobs ?? {}), atOnce, async ([name, id]) => {
        const job = jobs.find((j) => j.id === id);
        if (job === undefined || isTerminal(job)) {
          const why = job && (await flink.failureOf(id, { signal: io.signal }));
          return failed(`${name} is ${job?.state ?? 'gone'} on ${standby}: ${why ?? 'no reason recorded'}`);
        }
        if (recovered.has(name)) return undefined;
        const asked = await checkpointsOf(context, id, io);
        if (!('silent' in asked) && hasRecovered(asked)) {
          recovered.set(name, asked.latestCompleted);
          return undefined;
        }
        const health = await healthOf(context, id, watched.get(id), io);
        if (health !== undefined) watched.set(id, health);
        const reason = health && reasonToGiveUp(health, health.health, io.clock.monotonic());
        if (reason !== undefined) {
          const byHand = health?.health.hint;
          const hint = `mend that, then run \`argus failover\` again: it ${health?.health.remake ? 'starts the job anew' : 'goes on waiting'}`;
          return failed(
            `${name} does not run on ${standby}: ${reason}`,
            byHand === undefined ? hint : `${hint}; ${byHand}`,
          );
        }
        const why = health?.health.why ?? ('silent' in asked ? asked.silent : await failureOf(context, job, io));
        const waitingFor = `${name} is ${job.state}, without a checkpoint of its own yet`;
        return { kind: 'pending', waitingFor: why === undefined ? waitingFor : `${waitingFor}: ${why}` } as const;
      });
      const other = looks.find((look) => look?.kind === 'failed') ?? looks.find((look) => look !== undefined);
      if (other !== undefined) return other;
      const seen = evidence(Object.fromEntries(recovered));
      return { kind: 'done', evidence: seen, facts: { recoveredAtMs: io.clock.now() } };
    },
  };
}

function failed(message: string, hint?: string) {
  return { kind: 'failed', error: { code: 'JobFailed', message, ...(hint === undefined ? {} : { hint }) } } as const;
}

/** What Flink says of the job's checkpoints; `silent`: nothing now, and why. */
async function checkpointsOf({ standby }: FailoverContext, id: string, { signal }: StepIo) {
  try {
    return await standby.flink.checkpoints(id, { signal });
  } catch (error) {
    if (error instanceof ArgusError && error.retryable) return { silent: describeError(error) };
    throw error;
  }
}

interface Seen extends Watched {
  readonly health: JobHealth;
  readonly atMs: number;
}

/** What the platform says of a job; undefined where it says nothing or can't be asked. */
async function healthOf({ standby }: FailoverContext, id: string, before: Seen | undefined, io: StepIo) {
  const atMs = io.clock.monotonic();
  if (standby.flink.health === undefined || (before && atMs - before.atMs < healthForMs)) return before;
  try {
    const health = await standby.flink.health(id, { signal: io.signal });
    return { ...watchHealth(before, health, atMs), health, atMs };
  } catch (error) {
    io.signal.throwIfAborted();
    if (error instanceof ArgusError) return undefined;
    throw error;
  }
}

const failing = new Set(['RESTARTING', 'FAILING']);

/** What Flink itself says of a job that fails again and again. */
async function failureOf({ standby }: FailoverContext, { id, state }: FlinkJob, { signal }: StepIo) {
  return failing.has(state) ? await standby.flink.failureOf(id, { signal }) : undefined;
}

/** Whether a restored job has completed a checkpoint newer than the restored one. Pure. */
export function hasRecovered({ restored, latestCompleted, completedCount }: FlinkCheckpoints): boolean {
  return (
    restored !== undefined && completedCount > 0 && latestCompleted !== undefined && latestCompleted.id > restored.id
  );
}
