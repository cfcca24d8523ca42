import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sourceFile } from '../entry.ts';
import { requireTools } from './artifacts.ts';
import { ensureExtraPart } from './extra-part.ts';
import { flinkOpens } from './flink-jvm.ts';
import { ensureFlinkRelease, numbers } from './flink-releases.ts';
import { packImage } from './image-archive.ts';
import { jobJarPart } from './job-jar.ts';
import { copyArtifact, pomFile } from './maven.ts';
import type { Part, PartContext, SetupEvent } from './part.ts';
import { runTool, type ToolContext } from './tool.ts';

/** The image of Flink with the lab's job in it, which no registry has. */
export interface FlinkImage {
  /** `localhost/argus-flink:1.20.5`: to be imported by each node, and never pulled. */
  readonly name: string;
  /** The archive for `ctr images import`. */
  readonly archive: string;
  /** `local:///opt/flink/usrlib/counts.jar`: the job's jar in it, as spec.job.jarURI wants it. */
  readonly jarUri: string;
}

const flinkVersion = '1.20';
/** The newest 1.20 of what lets Flink start its own pods that Maven Central has. */
const kubernetesJar = 'org.apache.flink:flink-kubernetes:1.20.1';
const name = 'localhost/argus-flink:1.20.5';
const jarPath = '/opt/flink/usrlib/counts.jar';
const scripts = sourceFile(import.meta.url, 'flink-image');

/** All of the JVM but its tools for development: Flink asks for classes by name. */
const javaModules = [
  'java.se',
  'jdk.attach',
  'jdk.charsets',
  'jdk.crypto.ec',
  'jdk.httpserver',
  'jdk.jcmd',
  'jdk.jfr',
  'jdk.management',
  'jdk.management.agent',
  'jdk.naming.dns',
  'jdk.net',
  'jdk.security.auth',
  'jdk.unsupported',
  'jdk.zipfs',
];
const programs = ['bash', 'cat', 'chmod', 'id', 'ls', 'readlink'];
const javaHint = "the image's JVM is cut from the machine's JDK with its jlink: a whole JDK is needed";

/** The image in the lab's cache, made when it is missing: by the machine's own JDK, from the jars of the lab's Flink 1.20. */
export async function ensureFlinkImage(
  signal: AbortSignal,
  progress: (event: SetupEvent) => void,
): Promise<FlinkImage> {
  const java = (await requireTools(['java'])).find(({ id }) => id === 'java');
  if (java?.path === undefined || java.found === undefined) throw new Error('java was not looked for');
  const { path, found } = java;
  const release = await ensureFlinkRelease(flinkVersion, signal, progress);
  const part: Part = {
    name: 'flink-image',
    version: `${numbers(flinkVersion)}-java-${found}`,
    sources: [
      scripts,
      ...jobJarPart.sources,
      ...['flink', 'one-artifact'].map(pomFile),
      ...['flink-image', 'flink-jvm', 'image-archive'].map((file) => sourceFile(import.meta.url, `${file}.ts`)),
    ],
    build: (target, context) => build(target, dirname(path), release, context),
  };
  const folder = await ensureExtraPart(part, signal, progress);
  return { name, archive: join(folder, 'flink.tar'), jarUri: `local://${jarPath}` };
}

async function build(
  target: string,
  javaBin: string,
  release: Awaited<ReturnType<typeof ensureFlinkRelease>>,
  context: PartContext,
): Promise<void> {
  const root = join(target, 'root');
  const flink = join(root, 'opt/flink');
  for (const folder of ['bin', 'conf', 'usrlib']) await mkdir(join(flink, folder), { recursive: true });
  context.detail?.('the jars of Flink');
  await cp(release.flinkLibs, join(flink, 'lib'), { recursive: true });
  await rm(join(flink, 'lib/.complete'), { force: true });
  await copyArtifact(kubernetesJar, join(flink, 'lib'), context);
  await cp(join(release.flinkPlugins, 's3-fs-hadoop'), join(flink, 'plugins/s3-fs-hadoop'), { recursive: true });
  await copyFile(release.jobJar, join(root, jarPath));
  await copyScripts(root);
  context.detail?.('the JVM');
  await addJava(join(root, 'opt/java'), javaBin, context);
  await addShell(root, context);
  const rocksDb = await unpackRocksDb(join(target, 'rocksdb'), join(flink, 'lib'), javaBin, context);
  const shellPrograms = programs.map((program) => join(root, 'bin', program));
  await copyLibraries(root, [...shellPrograms, rocksDb, ...(await javaBinaries(join(root, 'opt/java')))], context);
  context.detail?.('packing the image');
  await packImage(
    {
      names: [name],
      root,
      entrypoint: ['/docker-entrypoint.sh'],
      workingDir: '/opt/flink',
      user: '9999:9999',
    },
    join(target, 'flink.tar'),
    context,
  );
  for (const folder of [root, join(target, 'rocksdb')]) await rm(folder, { recursive: true });
}

async function copyScripts(root: string): Promise<void> {
  for (const file of await readdir(scripts)) {
    const place = file.startsWith('docker-') ? '' : file.endsWith('.sh') ? 'opt/flink/bin' : 'opt/flink';
    await copyFile(join(scripts, file), join(root, place, file));
    await chmod(join(root, place, file), file.endsWith('.sh') ? 0o755 : 0o644);
  }
  const opens = flinkOpens.filter((option) => !option.includes('=jdk.compiler/'));
  await writeFile(join(root, 'opt/flink/java-options'), opens.map((option) => `${option}\n`).join(''));
}

/** A JVM of this machine's release without its tools, and the archive of its own classes that lets it start sooner. */
async function addJava(home: string, javaBin: string, context: ToolContext): Promise<void> {
  const args = ['--add-modules', javaModules.join(','), '--strip-java-debug-attributes', '--no-header-files'];
  await runTool(
    { command: join(javaBin, 'jlink'), args: [...args, '--no-man-pages', '--output', home], hint: javaHint },
    context,
  );
  await runTool({ command: join(home, 'bin/java'), args: ['-Xshare:dump'], hint: javaHint }, context);
}

/** The shell, what Hadoop runs (it calls chmod), what a person looks with, the users that its login asks for, and /tmp. */
async function addShell(root: string, context: ToolContext): Promise<void> {
  for (const folder of ['bin', 'etc', 'tmp']) await mkdir(join(root, folder), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  for (const program of programs) {
    const args = ['-L', `/bin/${program}`, join(root, 'bin', program)];
    await runTool({ command: 'cp', args, hint: `/bin/${program} is needed` }, context);
  }
  await symlink('bash', join(root, 'bin/sh'));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/bash\nflink:x:9999:9999::/opt/flink:/bin/bash\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nflink:x:9999:\n');
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

/** The program and the libraries of a JVM that a process without a screen loads. */
async function javaBinaries(home: string): Promise<readonly string[]> {
  const forScreens = /^lib(awt|splash|font|free|lcms|mlib|jsound|javajpeg)/;
  const files = await readdir(join(home, 'lib'), { recursive: true });
  const libraries = files.filter((file) => file.endsWith('.so') && !forScreens.test(basename(file)));
  return [join(home, 'bin/java'), ...libraries.map((file) => join(home, 'lib', file))];
}

/** RocksDB's library, which its jar carries along and unpacks when it starts: it asks for more of the system than the JVM. */
async function unpackRocksDb(folder: string, libs: string, javaBin: string, context: ToolContext): Promise<string> {
  const jar = (await readdir(libs)).find((file) => file.startsWith('frocksdbjni-'));
  const library = `librocksdbjni-linux${process.arch === 'x64' ? '64' : '-aarch64'}.so`;
  await mkdir(folder);
  const args = ['xf', join(libs, jar ?? 'frocksdbjni.jar'), library];
  await runTool({ command: join(javaBin, 'jar'), args, cwd: folder, hint: javaHint }, context);
  return join(folder, library);
}

/** Puts what the binaries load beside themselves where they look for it, from this machine. */
async function copyLibraries(root: string, binaries: readonly string[], context: ToolContext): Promise<void> {
  const hint = 'ldd is needed, and a system with glibc';
  const found = sharedLibraries(await runTool({ command: 'ldd', args: binaries, hint }, context)).filter(
    (path) => !path.startsWith(root),
  );
  const libc = found.find((path) => basename(path).startsWith('libc.so'));
  // An older glibc loads these when a name is looked up; a newer one has them within.
  const byName = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'].map((file) =>
    join(dirname(libc ?? '/lib/libc.so.6'), file),
  );
  for (const path of new Set([...found, ...byName.filter((file) => existsSync(file))])) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(path, join(root, path));
  }
}

/** The paths of the libraries that `ldd` names: `libz.so.1 => /lib/libz.so.1 (0x…)` or `/lib64/ld-linux-x86-64.so.2 (0x…)`. */
export function sharedLibraries(output: string): readonly string[] {
  const paths = output.split('\n').map((line) => /^\s+(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1]);
  return [...new Set(paths.filter((path) => path !== undefined))].sort();
}
