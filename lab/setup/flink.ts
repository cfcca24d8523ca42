import { join } from 'node:path';
import { copyDependencies, pomFile } from './maven.ts';
import type { Part } from './part.ts';

/** The lib folder of a Flink session cluster, with the Kafka connector that the job needs. */
export const flinkPart: Part = {
  name: 'flink',
  version: '2.2.1',
  sources: [pomFile('flink')],
  build: (target, context) => copyDependencies(pomFile('flink'), target, context),
};

/** The plugins folder: each plugin lies in a folder of its own, which Flink loads apart from lib. */
export const flinkPluginsPart: Part = {
  name: 'flink-plugins',
  version: '2.2.0',
  sources: [pomFile('flink-s3')],
  build: (target, context) => copyDependencies(pomFile('flink-s3'), join(target, 's3-fs-hadoop'), context),
};
