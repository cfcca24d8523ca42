import { copyDependencies, pomFile } from './maven.ts';
import type { Part } from './part.ts';

/** The jars of a Kafka broker and its StorageTool. */
export const kafkaPart: Part = {
  name: 'kafka',
  version: '4.3.1',
  sources: [pomFile('kafka')],
  build: (target, context) => copyDependencies(pomFile('kafka'), target, context),
};
