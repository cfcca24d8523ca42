import { ranBefore } from './flink-health.ts';
import type { JobHealth } from './flink-jobs.ts';
import { sessionJobsOf } from './flink-session-job.ts';
import type { SessionSeen } from './flink-session-look.ts';

/**
 * Whether a session job is as it should be; `why` is what its object, its cluster and the operator tell against it. A job
 * that Flink never got is better made anew; one that Flink has, or had before its JobManager forgot it, may have written.
 * Pure.
 */
export function judgeSessionHealth(name: string, seen: SessionSeen, why: string | undefined): JobHealth {
  const { job, cluster, pods, told } = seen;
  const restarts = pods.flatMap(({ containers }) => containers).reduce((sum, each) => sum + each.restarts, 0);
  const says = Object.fromEntries(
    Object.entries({ cluster: cluster?.jobManager, lifecycle: job?.lifecycle, job: job?.jobState }).flatMap(
      ([key, value]) => (value === undefined ? [] : [[key, value]]),
    ),
  );
  const found = told === undefined ? undefined : sessionJobsOf(name, { ...seen, before: new Set() });
  const own = found === undefined || found === 'unknown' ? undefined : found[0];
  const runs = own?.job.state === 'RUNNING' && own.flinkId !== undefined;
  // What was noted while it was brought up is over when it runs.
  const against = runs && job?.error === undefined ? unfinished(seen) : (why ?? unfinished(seen));
  if (runs && against === undefined) return { kind: 'sound', restarts, remake: false, says };
  const tried = job?.ran === true && job.error !== undefined;
  const kind = !runs && tried ? 'troubled' : 'settling';
  const forgotten = kind === 'troubled' && told !== undefined && own?.flinkId === undefined;
  const remake = forgotten && job?.listed !== true;
  const hint = forgotten && !remake ? { hint: ranBefore } : {};
  return { kind, restarts, remake, says, ...(against === undefined ? {} : { why: against }), ...hint };
}

/** How the operator's word falls short; undefined: it doesn't. */
function unfinished({ job, cluster }: SessionSeen): string | undefined {
  if (job === undefined) return 'its FlinkSessionJob is gone';
  if (cluster?.jobManager !== 'READY')
    return `the operator says ${cluster?.jobManager ?? 'nothing'} of the session cluster`;
  const { lifecycle, jobState } = job;
  if (lifecycle !== undefined && lifecycle !== 'STABLE') return `the operator says ${lifecycle} of its FlinkSessionJob`;
  return jobState === 'RUNNING' ? undefined : `the operator says ${jobState ?? 'nothing'} of the job`;
}
