import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { sourceFile } from '../entry.ts';
import { type ClassArchives, classArchives, classArchivesPart } from './class-archives.ts';
import { flinkPart, flinkPluginsPart } from './flink.ts';
import { toxiproxyPart, versitygwPart } from './go-binaries.ts';
import { jobJarName, jobJarPart } from './job-jar.ts';
import { kafkaPart } from './kafka.ts';
import { lockFolder } from './lock.ts';
import { buildPart, isComplete, type Part, partFolder, removeUnfinished, type SetupEvent } from './part.ts';
import type { Prerequisite, PrerequisiteId } from './prerequisites.mjs';

/** Where everything lies that the lab starts. */
export interface Artifacts {
  /** The java binary, 17 or later. */
  readonly java: string;
  /** Folder of jars: Kafka's class path is `<kafkaLibs>/*`. */
  readonly kafkaLibs: string;
  /** Folder of jars: Flink's class path is `<flinkLibs>/*`. */
  readonly flinkLibs: string;
  /** Folder of the jars of the changelog state backend, where the lab's Flink uses it. */
  readonly flinkChangelogLibs?: string;
  /** Folder of plugin folders, for FLINK_PLUGINS_DIR. */
  readonly flinkPlugins: string;
  readonly jobJar: string;
  readonly versitygw: string;
  readonly toxiproxy: string;
  /**
   * For `-XX:SharedArchiveFile=<archive>`, with the class path `<kafkaLibs>/*` or `<flinkLibs>/*`: the JVM starts
   * sooner. Missing where they could not be made, or were made with another Flink.
   */
  readonly classArchives?: Partial<ClassArchives>;
}

export interface SetupOptions {
  /** Default: ARGUS_LAB_CACHE, else `argus-lab` in the user's cache folder. */
  readonly cacheDir?: string;
  /** Ends the set-up: its tools are stopped before the promise rejects; what is finished is kept. */
  readonly signal?: AbortSignal;
  readonly progress?: (event: SetupEvent) => void;
  /** False: no class archives are made or looked for. */
  readonly classArchives?: boolean;
}

/** Parts of one list are installed one after the other (Maven's local repository can't be shared); the lists at once. */
const chains: readonly (readonly Part[])[] = [
  [kafkaPart, flinkPart, flinkPluginsPart, jobJarPart],
  [versitygwPart],
  [toxiproxyPart],
];

/** The cache folder of the lab's artifacts for this environment. */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.ARGUS_LAB_CACHE) return env.ARGUS_LAB_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'argus-lab');
}

/**
 * Installs what is missing in the cache folder and gives the places of all of it. Idempotent; a second call, also from
 * another process, waits for the first. Throws `PrerequisiteMissing` (exit code 2) or `SetupFailed`, the latter with
 * the end of the failing tool's output.
 */
export async function ensureArtifacts(options: SetupOptions = {}): Promise<Artifacts> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const progress = options.progress ?? (() => undefined);
  options.signal?.throwIfAborted();
  const java = (await requireTools(['java'])).find(({ id }) => id === 'java');
  if (java?.path === undefined || java.found === undefined) throw new Error('java was not looked for');
  const archives = classArchivesPart(java.path, java.found, [kafkaPart, flinkPart, flinkPluginsPart, jobJarPart]);
  const parts = [...chains.flat(), ...(options.classArchives === false ? [] : [archives])];
  const folders = new Map<string, string>();
  for (const part of parts) {
    progress({ part: part.name, state: 'checking' });
    folders.set(part.name, await partFolder(part, cacheDir));
  }
  const missing = parts.filter((part) => !isComplete(folderOf(folders, part.name)));
  if (missing.length === 0) {
    for (const part of parts) progress({ part: part.name, state: 'ready', ms: 0 });
  } else {
    // A warm start needs Java alone: the rest is asked for only when there is something to build with it.
    if (missing.some((part) => part !== archives)) await requireTools(['java', 'maven', 'go']);
    await install(cacheDir, folders, options.classArchives === false ? [] : [archives], options.signal, progress);
  }
  const archiveFolder = folders.get(archives.name);
  return {
    java: java.path,
    kafkaLibs: folderOf(folders, kafkaPart.name),
    flinkLibs: folderOf(folders, flinkPart.name),
    flinkPlugins: folderOf(folders, flinkPluginsPart.name),
    jobJar: join(folderOf(folders, jobJarPart.name), jobJarName),
    versitygw: join(folderOf(folders, versitygwPart.name), 'versitygw'),
    toxiproxy: join(folderOf(folders, toxiproxyPart.name), 'toxiproxy'),
    ...(archiveFolder !== undefined && isComplete(archiveFolder)
      ? { classArchives: classArchives(archiveFolder) }
      : {}),
  };
}

async function install(
  cacheDir: string,
  folders: ReadonlyMap<string, string>,
  extras: readonly Part[],
  signal: AbortSignal | undefined,
  progress: (event: SetupEvent) => void,
): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const unlock = await lockFolder(cacheDir, {
    ...(signal ? { signal } : {}),
    waiting: (pid) =>
      progress({ part: 'lock', state: 'checking', detail: `waiting for another set-up (process ${pid})` }),
  });
  // The first failure stops the other lists, so that its message is not followed by minutes of waiting.
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  try {
    await removeUnfinished(cacheDir);
    const results = await Promise.allSettled(
      chains
        .map(async (chain) => {
          for (const part of chain) await installPart(part, cacheDir, folders, stop, progress);
        })
        .map((running) =>
          running.catch((error: unknown) => {
            if (!failed.signal.aborted) failed.abort(error);
            throw error;
          }),
        ),
    );
    signal?.throwIfAborted();
    if (failed.signal.aborted) throw failed.signal.reason;
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    for (const part of extras) {
      // What only saves time may fail: its event says so, and the next set-up tries again.
      await installPart(part, cacheDir, folders, stop, progress).catch(() => signal?.throwIfAborted());
    }
  } finally {
    await unlock();
  }
}

async function installPart(
  part: Part,
  cacheDir: string,
  folders: ReadonlyMap<string, string>,
  signal: AbortSignal,
  progress: (event: SetupEvent) => void,
): Promise<void> {
  const startedAt = performance.now();
  const ms = (): number => Math.round(performance.now() - startedAt);
  const folder = folderOf(folders, part.name);
  // Another set-up may have finished it while this one waited for the lock.
  if (isComplete(folder)) {
    progress({ part: part.name, state: 'ready', ms: 0 });
    return;
  }
  progress({ part: part.name, state: 'installing' });
  try {
    await buildPart(part, folder, {
      signal,
      cacheDir,
      folderOf: (name) => folderOf(folders, name),
      detail: (detail) => progress({ part: part.name, state: 'installing', detail }),
    });
  } catch (error) {
    const detail = signal.aborted ? 'stopped' : (describeError(error).split('\n')[0] ?? '');
    progress({ part: part.name, state: 'failed', detail, ms: ms() });
    if (signal.aborted || error instanceof ArgusError) throw error;
    throw new ArgusError('SetupFailed', `${part.name} could not be installed in ${folder}`, {
      hint: 'see whether the cache folder can be written and has room; ARGUS_LAB_CACHE names another one',
      cause: error,
    });
  }
  progress({ part: part.name, state: 'ready', ms: ms() });
}

/** Looks for tools of the machine; throws `PrerequisiteMissing` (exit code 2) when one of them is absent. */
export async function requireTools(ids: readonly PrerequisiteId[]): Promise<readonly Prerequisite[]> {
  const url = pathToFileURL(sourceFile(import.meta.url, 'prerequisites.mjs')).href;
  const { checkPrerequisites, describePrerequisite } = (await import(url)) as typeof import('./prerequisites.mjs');
  const results: readonly Prerequisite[] = await checkPrerequisites(ids);
  const absent = results.filter((result) => !result.ok);
  if (absent.length > 0) {
    throw new ArgusError(
      'PrerequisiteMissing',
      ['the lab needs tools that this machine does not have', ...absent.map((each) => describePrerequisite(each))].join(
        '\n',
      ),
      { hint: 'install them and run the same command again', exitCode: 2 },
    );
  }
  return results;
}

function folderOf(folders: ReadonlyMap<string, string>, name: string): string {
  const folder = folders.get(name);
  if (folder === undefined) throw new Error(`no part is called ${name}`);
  return folder;
}
