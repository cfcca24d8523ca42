import { ensureExtraPart } from './extra-part.ts';
import { copyDependencies, pomFile } from './maven.ts';
import type { Part, SetupEvent } from './part.ts';

const flinkOperatorPart: Part = {
  name: 'flink-operator',
  // The newest whose runtime, and not only its API, is on Maven Central.
  version: '1.7.0',
  sources: [pomFile('flink-operator')],
  build: (target, context) => copyDependencies(pomFile('flink-operator'), target, context),
};

/** The folder of the Flink Kubernetes Operator's jars, fetched when they are missing. */
export function ensureFlinkOperator(signal: AbortSignal, progress: (event: SetupEvent) => void): Promise<string> {
  return ensureExtraPart(flinkOperatorPart, signal, progress);
}
