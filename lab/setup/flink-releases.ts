import { join } from 'node:path';
import type { Artifacts } from './artifacts.ts';
import { ensureExtraPart } from './extra-part.ts';
import { buildJobJar, jobJarName, jobJarPart } from './job-jar.ts';
import { copyArtifact, copyDependencies, pomFile } from './maven.ts';
import type { Part, SetupEvent } from './part.ts';

/** The Flink releases that a lab can run; the first is the one that it runs when none is named. */
export const flinkVersions = ['2.2', '1.20'] as const;
export type FlinkVersion = (typeof flinkVersions)[number];

/** What a lab's Flink is, and how it is set beside what the lab needs itself. */
export interface FlinkChoice {
  readonly version: FlinkVersion;
  /** Keys of Flink's config.yaml; they win over the lab's own. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

/** Flink's own number, the Kafka connector's, and that of the newest S3 plugin of this release on Maven Central. */
const releases = {
  '2.2': { flink: '2.2.1', connector: '5.0.0-2.2', s3: '2.2.0' },
  '1.20': { flink: '1.20.5', connector: '3.4.0-1.20', s3: '1.20.0' },
} as const satisfies Record<FlinkVersion, { flink: string; connector: string; s3: string }>;

/** Both that decide which jars these are: `1.20.5-kafka-3.4.0-1.20`. */
export const numbers = (version: FlinkVersion): string =>
  `${releases[version].flink}-kafka-${releases[version].connector}`;

const versionArgs = (version: FlinkVersion): readonly string[] => [
  `-Dflink.version=${releases[version].flink}`,
  `-Dflink.kafka.version=${releases[version].connector}`,
];

function libsPart(version: FlinkVersion): Part {
  return {
    name: 'flink',
    version: numbers(version),
    sources: [pomFile('flink')],
    build: (target, context) => copyDependencies(pomFile('flink'), target, context, versionArgs(version)),
  };
}

function pluginsPart(version: FlinkVersion): Part {
  const { s3 } = releases[version];
  return {
    name: 'flink-plugins',
    version: s3,
    sources: [pomFile('one-artifact')],
    build: (target, context) =>
      copyArtifact(`org.apache.flink:flink-s3-fs-hadoop:${s3}`, join(target, 's3-fs-hadoop'), context),
  };
}

/** The lab's job again, compiled against another Flink. */
function jarPart(version: FlinkVersion): Part {
  return {
    name: 'counts-job-flink',
    version: numbers(version),
    sources: jobJarPart.sources,
    build: (target, context) => buildJobJar(target, context, versionArgs(version)),
  };
}

function changelogPart(version: FlinkVersion): Part {
  return {
    name: 'flink-changelog',
    version: releases[version].flink,
    sources: [pomFile('flink-changelog')],
    build: (target, context) => copyDependencies(pomFile('flink-changelog'), target, context, versionArgs(version)),
  };
}

/** A Flink release in the lab's cache, with the job that was compiled against it; installed where it is missing. */
export async function ensureFlinkRelease(
  version: FlinkVersion,
  signal: AbortSignal,
  progress: (event: SetupEvent) => void,
): Promise<Pick<Artifacts, 'flinkLibs' | 'flinkPlugins' | 'jobJar'>> {
  return {
    flinkLibs: await ensureExtraPart(libsPart(version), signal, progress),
    flinkPlugins: await ensureExtraPart(pluginsPart(version), signal, progress),
    jobJar: join(await ensureExtraPart(jarPart(version), signal, progress), jobJarName),
  };
}

/**
 * The artifacts for another Flink than the lab's own, or for settings that need more of it. What is missing in the
 * cache is installed.
 */
export async function withFlink(
  artifacts: Artifacts,
  choice: FlinkChoice,
  signal: AbortSignal | undefined,
  progress: (event: SetupEvent) => void,
): Promise<Artifacts> {
  const { version, settings } = choice;
  const stop = signal ?? new AbortController().signal;
  let result = artifacts;
  if (version !== flinkVersions[0]) {
    const kafkaArchive = artifacts.classArchives?.kafka;
    const { classArchives: _recordedWithAnotherFlink, ...rest } = artifacts;
    result = {
      ...rest,
      ...(kafkaArchive === undefined ? {} : { classArchives: { kafka: kafkaArchive } }),
      ...(await ensureFlinkRelease(version, stop, progress)),
    };
  }
  if (settings['state.changelog.enabled'] === true) {
    result = { ...result, flinkChangelogLibs: await ensureExtraPart(changelogPart(version), stop, progress) };
  }
  return result;
}
