import { sourceFile } from '../../lab/entry.ts';
import { ensureExtraPart } from '../../lab/setup/extra-part.ts';
import { copyDependencies } from '../../lab/setup/maven.ts';
import type { Part, SetupEvent } from '../../lab/setup/part.ts';

const pom = sourceFile(import.meta.url, 'maven/mirrormaker.pom.xml');

/** The jars of MirrorMaker 2 and of Kafka's own tools. */
export const mirrorMakerPart: Part = {
  name: 'mirrormaker',
  version: '4.3.1',
  sources: [pom],
  build: (target, context) => copyDependencies(pom, target, context),
};

/** The folder of MirrorMaker's jars in the lab's cache, where they are put when they are missing. */
export function ensureMirrorMaker(signal: AbortSignal, progress: (event: SetupEvent) => void): Promise<string> {
  return ensureExtraPart(mirrorMakerPart, signal, progress);
}
