import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { FlinkJobs, StartJob } from './flink-jobs.ts';
import { jobOfUpload, uploadName } from './flink-rest-jars.ts';
import { readPulse } from './flink-rest-pulse.ts';
import { readJobSettings, readRelease } from './flink-rest-settings.ts';
import { readStop, triggerStop } from './flink-rest-stop.ts';

export interface FlinkRestOptions {
  /** For messages. */
  readonly region: string;
  /** Root of the REST interface, e.g. `http://127.0.1.1:8081`. */
  readonly url: string;
  /** Deadline of a call; default 10 s. */
  readonly timeoutMs?: number;
  /** Deadline of `start`, the upload included; default 60 s. */
  readonly startTimeoutMs?: number;
  /** Another way to the URL than `fetch`. What it throws as `ArgusError` that is not retryable is passed on. */
  readonly fetch?: (
    url: string,
    init: RequestInit & { readonly signal: AbortSignal },
  ) => Promise<{ readonly status: number; text(): Promise<string> }>;
}

const overview = z.object({ 'slots-total': z.number(), 'slots-available': z.number() });
const jobs = z.object({
  jobs: z.array(z.object({ jid: z.string(), name: z.string(), state: z.string(), 'start-time': z.number() })),
});
const checkpoints = z.object({
  counts: z.object({ completed: z.number(), failed: z.number() }),
  latest: z.object({
    completed: z
      .object({ id: z.number(), external_path: z.string(), latest_ack_timestamp: z.number() })
      .nullish()
      .catch(undefined),
    restored: z
      .object({ id: z.number(), restore_timestamp: z.number(), external_path: z.string().nullish() })
      .nullish()
      .catch(undefined),
  }),
});
const history = z.object({
  history: z.array(
    z.object({
      id: z.number(),
      status: z.string(),
      is_savepoint: z.boolean(),
      latest_ack_timestamp: z.number().nullish(),
      external_path: z.string().nullish(),
      discarded: z.boolean().nullish(),
    }),
  ),
});
const exceptions = z.object({
  // Flink 1.x
  'root-exception': z.string().nullish(),
  exceptionHistory: z.object({ entries: z.array(z.object({ stacktrace: z.string() })) }).nullish(),
});
const uploaded = z.object({ filename: z.string() });
const jars = z.object({ files: z.array(z.object({ id: z.string() })) });
const submitted = z.object({ jobid: z.string() });
const refusal = z.object({ errors: z.array(z.string()) });

/**
 * A session cluster through Flink's REST interface (1.20 to 2.2). A cluster that accepts connections and stays silent
 * ends a call by its deadline.
 * Source: https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/rest_api/
 */
export function flinkRestJobs(options: FlinkRestOptions): FlinkJobs {
  const root = options.url.replace(/\/$/, '');
  const timeoutMs = options.timeoutMs ?? 10_000;
  // Through an API server there is no address of its own.
  const whose = root === '' ? `Flink of ${options.region}` : `Flink of ${options.region} at ${root}`;

  function deadline(signal: AbortSignal | undefined, ms = timeoutMs): AbortSignal {
    const timeout = AbortSignal.timeout(ms);
    return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  }

  /** One request; `caller` is who may give up, `by` the signal that also holds the deadline. */
  async function request<T>(
    what: string,
    path: string,
    answer: z.ZodType<T>,
    caller: AbortSignal | undefined,
    by: AbortSignal,
    init: RequestInit = {},
  ): Promise<T> {
    caller?.throwIfAborted();
    let status: number;
    let text: string;
    try {
      const response = await (options.fetch ?? fetch)(root + path, { ...init, signal: by });
      status = response.status;
      text = await response.text();
    } catch (error) {
      if (caller?.aborted) throw caller.reason;
      if (error instanceof ArgusError && !error.retryable) throw error;
      throw new ArgusError('FlinkUnreachable', `${what}: ${whose} did not answer`, {
        cause: error,
        hint: 'See whether the JobManager runs and its REST port can be reached from here.',
        retryable: true,
      });
    }
    const json = parse(text);
    if (status >= 400) {
      const errors = refusal.safeParse(json);
      const reason = errors.success ? rootCause(errors.data.errors.join('\n')) : text.slice(0, 300);
      throw new ArgusError('FlinkRefused', `${what}: Flink of ${options.region} answered ${status}: ${reason}`, {
        cause: new FlinkAnswer(status, reason),
        retryable: status === 503 || (status === 500 && text.includes(notInitialized)),
      });
    }
    const checked = answer.safeParse(json);
    if (checked.success) return checked.data;
    throw new ArgusError('FlinkRefused', `${what}: ${root}${path} did not answer like Flink`, {
      cause: checked.error,
      hint: "Check that this URL is the JobManager's REST interface.",
    });
  }

  /** A request about one job, whose absence has a code of its own. */
  async function aboutJob<T>(
    what: string,
    path: string,
    answer: z.ZodType<T>,
    signal: AbortSignal | undefined,
    init?: RequestInit,
  ): Promise<T> {
    try {
      return await request(what, path, answer, signal, deadline(signal), init);
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      throw new ArgusError('JobMissing', `${what}: Flink of ${options.region} does not know this job`, {
        cause: error,
      });
    }
  }

  return {
    async list(call) {
      const answer = await request('list jobs', '/jobs/overview', jobs, call?.signal, deadline(call?.signal));
      return answer.jobs
        .map((job) => ({ id: job.jid, name: job.name, state: job.state, startedAtMs: job['start-time'] }))
        .sort((a, b) => b.startedAtMs - a.startedAtMs);
    },

    async checkpoints(jobId, call) {
      const path = `/jobs/${encodeURIComponent(jobId)}/checkpoints`;
      const { counts, latest } = await aboutJob(`checkpoints of job ${jobId}`, path, checkpoints, call?.signal);
      const { completed, restored } = latest;
      return {
        completedCount: counts.completed,
        failedCount: counts.failed,
        ...(completed
          ? {
              latestCompleted: {
                id: completed.id,
                path: completed.external_path,
                completedAtMs: completed.latest_ack_timestamp,
              },
            }
          : {}),
        ...(restored
          ? { restored: { id: restored.id, path: restored.external_path ?? '', atMs: restored.restore_timestamp } }
          : {}),
      };
    },

    async snapshots(jobId, call) {
      const path = `/jobs/${encodeURIComponent(jobId)}/checkpoints`;
      const answer = await aboutJob(`history of job ${jobId}`, path, history, call?.signal);
      return answer.history
        .flatMap(({ id, status, is_savepoint, latest_ack_timestamp, external_path, discarded }) =>
          // What lies nowhere else has a note in place of a path.
          status !== 'COMPLETED' || discarded === true || !external_path?.includes(':/')
            ? []
            : [
                {
                  kind: is_savepoint ? ('savepoint' as const) : ('checkpoint' as const),
                  id,
                  path: external_path,
                  completedAtMs: latest_ack_timestamp ?? 0,
                },
              ],
        )
        .sort((a, b) => b.id - a.id);
    },

    settings(jobId, call) {
      return readJobSettings((what, path, answer) => aboutJob(what, path, answer, call?.signal), jobId);
    },

    async slots(call) {
      const answer = await request('slots', '/overview', overview, call?.signal, deadline(call?.signal));
      return { free: answer['slots-available'], total: answer['slots-total'] };
    },

    versions: (call) =>
      readRelease((what, path, answer) => request(what, path, answer, call?.signal, deadline(call?.signal))),

    async start(job, call) {
      const signal = call?.signal;
      const by = deadline(signal, options.startTimeoutMs ?? 60_000);
      const form = new FormData();
      form.append('jarfile', await jar(job.jarPath), uploadName(job));
      const upload = { method: 'POST', body: form };
      const { filename } = await request('upload the jar', '/jars/upload', uploaded, signal, by, upload);
      const jarPath = `/jars/${encodeURIComponent(basename(filename))}`;
      try {
        const answer = await request('start the job', `${jarPath}/run`, submitted, signal, by, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(runRequest(job)),
        });
        return { jobId: answer.jobid };
      } finally {
        // The job has its own copy by now.
        await request('remove the jar', jarPath, z.unknown(), undefined, deadline(undefined, 2_000), {
          method: 'DELETE',
        }).catch(() => {});
      }
    },

    async uploads(call) {
      try {
        const { files } = await request('list jars', '/jars', jars, call?.signal, deadline(call?.signal));
        return files.flatMap(({ id }) => {
          const jobId = jobOfUpload(id);
          return jobId === undefined ? [] : [{ id, jobId }];
        });
      } catch (error) {
        // The cluster takes no programs (web.submit.enable).
        if (statusOf(error) === 404) return [];
        throw error;
      }
    },

    async removeUpload(id, call) {
      const signal = call?.signal;
      try {
        const path = `/jars/${encodeURIComponent(id)}`;
        await request('remove the jar', path, z.unknown(), signal, deadline(signal), { method: 'DELETE' });
      } catch (error) {
        // 400: there is no such file.
        if (statusOf(error) !== 400 && statusOf(error) !== 404) throw error;
      }
    },

    async cancel(jobId, call) {
      const path = `/jobs/${encodeURIComponent(jobId)}?mode=cancel`;
      try {
        await aboutJob(`cancel job ${jobId}`, path, z.unknown(), call?.signal, { method: 'PATCH' });
      } catch (error) {
        // 409: it reached another end before.
        if (statusOf(error) !== 409) throw error;
      }
    },

    stopWithSavepoint: (stop, call) =>
      triggerStop((what, path, answer, init) => aboutJob(what, path, answer, call?.signal, init), stop),

    async savepointStop(jobId, triggerId, call) {
      try {
        const ask: Parameters<typeof readStop>[0] = (what, path, answer) => aboutJob(what, path, answer, call?.signal);
        return await readStop(ask, jobId, triggerId, rootCause);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        return { kind: 'unknown' };
      }
    },

    pulse: (jobId, call) => readPulse((what, path, answer) => aboutJob(what, path, answer, call?.signal), jobId),

    async failureOf(jobId, call) {
      const path = `/jobs/${encodeURIComponent(jobId)}/exceptions?maxExceptions=1`;
      const answer = await aboutJob(`failures of job ${jobId}`, path, exceptions, call?.signal);
      const trace = answer.exceptionHistory?.entries[0]?.stacktrace ?? answer['root-exception'];
      return trace ? rootCause(trace) : undefined;
    },
  };
}

/**
 * Flink's word for a job that its JobManager still brings up: it answers 500, and nothing else in the answer tells.
 * Source: org.apache.flink.runtime.dispatcher.Dispatcher.getJobMasterGateway, Flink 1.20 and 2.2.
 */
const notInitialized = 'UnavailableDispatcherOperationException';

/** Flink's answer behind a refusal. */
class FlinkAnswer extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function statusOf(error: unknown): number | undefined {
  const cause = error instanceof ArgusError ? error.cause : undefined;
  if (cause instanceof FlinkAnswer) return cause.status;
  return cause === undefined ? undefined : statusOf(cause);
}

async function jar(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path, { type: 'application/x-java-archive' });
  } catch (error) {
    throw new ArgusError('JobJarUnreadable', `the job's jar ${path} can't be read (${describeError(error)})`, {
      cause: error,
      hint: 'Correct jobs.submit.jar in the configuration.',
      exitCode: 2,
    });
  }
}

/** Source: JarRunRequestBody, Flink 1.20 and 2.2. */
function runRequest(job: StartJob): Record<string, unknown> {
  return {
    entryClass: job.entryClass,
    programArgsList: job.args,
    parallelism: job.parallelism,
    ...(job.jobId === undefined ? {} : { jobId: job.jobId }),
    ...(job.configuration === undefined ? {} : { flinkConfiguration: job.configuration }),
    ...(job.savepointPath === undefined
      ? {}
      : {
          savepointPath: job.savepointPath,
          claimMode: job.claimMode ?? 'NO_CLAIM',
          allowNonRestoredState: false,
        }),
  };
}

function parse(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The innermost cause of a Java stack trace, without its frames. */
export function rootCause(trace: string): string {
  const lines = trace
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at ') && !line.startsWith('...'));
  const cause = lines.findLast((line) => line.startsWith('Caused by: '))?.slice('Caused by: '.length);
  const named = lines.find((line) => /^[\w.$]+(Exception|Error)\b/.test(line));
  return (cause ?? named ?? lines[0] ?? 'no reason given').slice(0, 500);
}
