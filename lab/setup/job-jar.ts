import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceFile } from '../entry.ts';
import { maven } from './maven.ts';
import type { Part } from './part.ts';

export const jobJarName = 'counts-job.jar';

/** The lab's Flink job, compiled from its sources; built again when one of them changed. */
export const jobJarPart: Part = {
  name: 'counts-job',
  version: '1',
  sources: [sourceFile(import.meta.url, '../flink-job/pom.xml'), sourceFile(import.meta.url, '../flink-job/src')],
  async build(target, context) {
    const work = await mkdtemp(join(target, 'build-'));
    await maven(
      sourceFile(import.meta.url, '../flink-job/pom.xml'),
      [`-Dargus.buildDirectory=${work}`, 'package'],
      context,
    );
    await cp(join(work, jobJarName), join(target, jobJarName));
    await rm(work, { recursive: true, force: true });
  },
};
