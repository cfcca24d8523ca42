import { basename } from 'node:path';
import type { StartJob } from './flink-jobs.ts';

/** The name that a job's jar is uploaded by: it tells the job where that has an id. Pure. */
export function uploadName({ jarPath, jobId }: Pick<StartJob, 'jarPath' | 'jobId'>): string {
  return jobId === undefined ? basename(jarPath) : `${jobId}-${basename(jarPath)}`;
}

/**
 * The job that a jar was uploaded for, from the cluster's name of it; undefined where that doesn't tell. Pure.
 * Source: org.apache.flink.runtime.webmonitor.handlers.JarUploadHandler, Flink 1.20 and 2.2: a UUID, `_`, the file's name.
 */
export function jobOfUpload(id: string): string | undefined {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_([0-9a-f]{32})-[^/]+$/.exec(id)?.[1];
}
