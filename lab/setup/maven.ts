import { join } from 'node:path';
import { sourceFile } from '../entry.ts';
import type { PartContext } from './part.ts';
import { runTool } from './tool.ts';

const hint =
  'see the lines above; when the downloads failed, check the network (and `mirrors` or `proxies` in your Maven settings.xml) and run the same command again: what was fetched is kept';

/** The pom file of this name in the set-up's folder. */
export function pomFile(name: string): string {
  return sourceFile(import.meta.url, `maven/${name}.pom.xml`);
}

/** Copies a pom's runtime dependencies, with all that they need, into a folder; `args` set the pom's properties. */
export async function copyDependencies(
  pom: string,
  folder: string,
  context: PartContext,
  args: readonly string[] = [],
): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
  await maven(pom, [...args, ...goal], context);
}

/** Copies one jar, `group:name:version`, without what it depends on. */
export async function copyArtifact(coordinates: string, folder: string, context: PartContext): Promise<void> {
  const [group, name, version] = coordinates.split(':');
  // Not the goal `copy`, which writes into the pom's folder.
  const args = [`-Dartifact.group=${group}`, `-Dartifact.name=${name}`, `-Dartifact.version=${version}`];
  await copyDependencies(pomFile('one-artifact'), folder, context, args);
}

/**
 * Runs Maven on a pom with the cache's own local repository. Not to be run twice at once: Maven 3 does not lock it.
 */
export async function maven(pom: string, goals: readonly string[], context: PartContext): Promise<void> {
  const repository = join(context.cacheDir, 'maven-repository');
  let fetched = 0;
  await runTool(
    {
      command: 'mvn',
      args: ['-B', '-Dstyle.color=never', '-f', pom, `-Dmaven.repo.local=${repository}`, ...goals],
      hint,
      progress(line) {
        if (/^(\[INFO\] )?Downloaded from/.test(line)) return `${++fetched} files fetched`;
        return undefined;
      },
    },
    context,
  );
}
