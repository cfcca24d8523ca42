import { openAsBlob } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { jobArgs } from '../lab-config.ts';
import { type LabInfo, names, type RegionName } from '../lab-info.ts';

/** Submits the lab's job to a region's session cluster, without state; gives its id. `JobFailed` with Flink's reason. */
export async function submitJob(info: LabInfo, region: RegionName, signal?: AbortSignal): Promise<string> {
  const { rest } = info.regions[region].flink;
  const form = new FormData();
  form.append(
    'jarfile',
    await openAsBlob(info.artifacts.jobJar, { type: 'application/java-archive' }),
    'counts-job.jar',
  );
  const uploaded = await call(`${rest}/jars/upload`, { method: 'POST', body: form }, signal);
  const jarId = String(uploaded.filename).split('/').at(-1);
  const body = JSON.stringify({
    entryClass: names.jobClass,
    programArgsList: jobArgs(info, region),
    parallelism: names.parallelism,
  });
  const headers = { 'content-type': 'application/json' };
  const started = await call(`${rest}/jars/${jarId}/run`, { method: 'POST', body, headers }, signal);
  return String(started.jobid);
}

/** What Flink's REST interface says at a path; rejects when it says nothing, or no. */
export type AskFlink = (path: string, signal?: AbortSignal) => Promise<Record<string, unknown>>;

/** Asks the REST interface at a URL. */
export function askRest(rest: string): AskFlink {
  return (path, signal) => call(`${rest}${path}`, {}, signal);
}

/** A job's state in Flink's own words, and whether each of its tasks runs. */
export async function jobState(
  ask: AskFlink,
  jobId: string,
  signal?: AbortSignal,
): Promise<{ readonly state: string; readonly tasksRunning: boolean }> {
  const job = (await ask(`/jobs/${jobId}`, signal)) as unknown as { state: string; vertices: { status: string }[] };
  return { state: job.state, tasksRunning: job.vertices.every((v) => v.status === 'RUNNING') };
}

/** Waits until the job and all of its tasks run. `JobFailed` when it ends instead, or not in time. */
export async function untilJobRuns(
  ask: AskFlink,
  jobId: string,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const { state, tasksRunning } = await jobState(ask, jobId, options.signal);
    if (state === 'RUNNING' && tasksRunning) return;
    if (['FAILED', 'CANCELED', 'FINISHED'].includes(state)) {
      const { 'root-exception': cause } = (await ask(`/jobs/${jobId}/exceptions`, options.signal)) as {
        'root-exception'?: string;
      };
      const why = cause ? `\n  | ${cause.split('\n').slice(0, 5).join('\n  | ')}` : '';
      throw new ArgusError('JobFailed', `the job ${names.job} is ${state}${why}`);
    }
    if (performance.now() > deadline) {
      throw new ArgusError('JobFailed', `the job ${names.job} does not run yet: it is ${state}`, {
        hint: 'the logs of Flink say why',
      });
    }
    await sleep(100, undefined, options.signal ? { signal: options.signal } : {});
  }
}

async function call(url: string, init: RequestInit, signal?: AbortSignal): Promise<Record<string, unknown>> {
  const timeout = AbortSignal.timeout(60_000);
  const response = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
  const body = (await response.json()) as Record<string, unknown>;
  if (response.ok) return body;
  const errors = Array.isArray(body.errors) ? body.errors.map(String) : [];
  // Of a stack of some hundred lines the causes matter, and among them the last.
  const causes = errors
    .join('\n')
    .split('\n')
    .filter((line) => /^(?!\s|\.\.\.)/.test(line));
  throw new ArgusError('JobFailed', `Flink refused ${new URL(url).pathname}: ${causes.join('\n').slice(0, 4_000)}`);
}
