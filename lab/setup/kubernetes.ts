import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceFile } from '../entry.ts';
import { ensureExtraPart } from './extra-part.ts';
import { maven, pomFile } from './maven.ts';
import type { Part, PartContext, SetupEvent } from './part.ts';
import { runTool } from './tool.ts';

const version = '1.36.3';
const program = sourceFile(import.meta.url, '../kubernetes/program');
const binaryName = 'argus-kubernetes';

/**
 * etcd, API server, controller manager, scheduler, kubelet, proxy and kubectl in one program of ours. Some 2,800
 * packages: five minutes on two idle cores, 190 MB.
 */
const kubernetesPart: Part = {
  name: 'kubernetes',
  version,
  sources: [program],
  build: buildProgram,
};

/** The definitions of the Flink operator's objects, as its Java API brings them along. */
const flinkOperatorCrdsPart: Part = {
  name: 'flink-operator-crds',
  version: '1.7.0',
  sources: [pomFile('flink-operator-crds')],
  async build(target, context) {
    const work = join(target, 'work');
    const goal = ['dependency:unpack', `-DoutputDirectory=${target}`, `-Dargus.buildDirectory=${work}`];
    await maven(pomFile('flink-operator-crds'), goal, context);
    await rm(work, { recursive: true, force: true });
  },
};

/** The program of `lab/kubernetes/program`, in the lab's cache, where it is built when it is missing. */
export async function ensureKubernetes(signal: AbortSignal, progress: (event: SetupEvent) => void): Promise<string> {
  return join(await ensureExtraPart(kubernetesPart, signal, progress), binaryName);
}

/** The folder of the YAML files with the Flink operator's definitions, fetched when they are missing. */
export async function ensureFlinkOperatorCrds(
  signal: AbortSignal,
  progress: (event: SetupEvent) => void,
): Promise<string> {
  return join(await ensureExtraPart(flinkOperatorCrdsPart, signal, progress), 'META-INF', 'fabric8');
}

async function buildProgram(target: string, context: PartContext): Promise<void> {
  let fetched = 0;
  let compiled = 0;
  await runTool(
    {
      command: 'go',
      args: [
        'build',
        '-v',
        '-trimpath',
        '-buildvcs=false',
        `-ldflags=${linkerFlags()}`,
        '-o',
        join(target, binaryName),
        '.',
      ],
      cwd: program,
      env: { CGO_ENABLED: '0', GOWORK: 'off' },
      hint: "see the lines above; when the downloads failed, check the network (and GOPROXY); a build takes 4 GB of disk for Go's caches. The same command goes on from here: what was fetched and compiled is kept",
      progress(line) {
        if (line.startsWith('go: downloading')) return `${++fetched} modules fetched`;
        // With -v go names each package when it is compiled.
        return /^[a-z0-9.]+(\/\S+)*$/i.test(line) ? `${++compiled} packages compiled` : undefined;
      },
    },
    context,
  );
}

/** Clients parse the server's version: it must be told at the link, or the server calls itself v0.0.0. */
function linkerFlags(): string {
  const [major, minor] = version.split('.');
  const stamps = {
    gitVersion: `v${version}`,
    gitMajor: major,
    gitMinor: minor,
    gitCommit: '0'.repeat(40),
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
  };
  const set = Object.entries(stamps).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-s', '-w', ...set].join(' ');
}
