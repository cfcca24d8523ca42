import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceFile } from '../entry.ts';
import { maven } from './maven.ts';
import type { Part, PartContext } from './part.ts';

export const jobJarName = 'counts-job.jar';

const pom = sourceFile(import.meta.url, '../flink-job/pom.xml');

/** Compiles the lab's Flink job into a folder; `args` set the pom's properties. */
export async function buildJobJar(target: string, context: PartContext, args: readonly string[] = []): Promise<void> {
  const work = await mkdtemp(join(target, 'build-'));
  await maven(pom, [`-Dargus.buildDirectory=${work}`, ...args, 'package'], context);
  await cp(join(work, jobJarName), join(target, jobJarName));
  await rm(work, { recursive: true, force: true });
}

/** The lab's Flink job, compiled from its sources; built again when one of them changed. */
export const jobJarPart: Part = {
  name: 'counts-job',
  version: '1',
  sources: [pom, sourceFile(import.meta.url, '../flink-job/src')],
  build: (target, context) => buildJobJar(target, context),
};
