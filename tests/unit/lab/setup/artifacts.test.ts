import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ArgusError } from '../../../../domain/errors.ts';
import { defaultCacheDir, ensureArtifacts } from '../../../../lab/setup/artifacts.ts';
import type { SetupEvent } from '../../../../lab/setup/part.ts';

let dir = '';
let cacheDir = '';
const environment = { ...process.env };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'argus-setup-'));
  cacheDir = join(dir, 'cache');
  await mkdir(join(dir, 'jdk', 'bin'), { recursive: true });
  await writeFile(join(dir, 'jdk', 'bin', 'javac'), '');
  await tool('java', `echo "    java.home = ${dir}/jdk"; echo "    java.version = 21.0.1"`);
  await tool('mvn', fakeMaven);
  await tool('go', fakeGo);
  process.env.PATH = `${dir}${delimiter}${environment.PATH}`;
  delete process.env.JAVA_HOME;
});

afterEach(async () => {
  process.env = { ...environment };
  await rm(dir, { recursive: true, force: true });
});

/** Puts a shell script in front of the real tool; each call of it is noted. */
async function tool(name: string, script: string): Promise<void> {
  await writeFile(join(dir, name), `#!/bin/sh\necho "${name} $*" >> ${dir}/calls\n${script}\n`);
  await chmod(join(dir, name), 0o755);
}

const fakeMaven = `
for a in "$@"; do case "$a" in
  -version) echo "Apache Maven 3.9.9"; exit 0;;
  -DoutputDirectory=*) mkdir -p "\${a#*=}"; echo jar > "\${a#*=}/some.jar";;
  -Dargus.buildDirectory=*) mkdir -p "\${a#*=}"; echo jar > "\${a#*=}/counts-job.jar";;
esac; done
echo "[INFO] Downloaded from central: some.jar"`;

const fakeGo = `
case "$1" in
  env) echo go1.25.1; echo auto; exit 0;;
  install) echo server > "$GOBIN/server";;
  build) while [ "$1" != -o ]; do shift; done; echo gateway > "$2";;
esac`;

const builds = (): string[] =>
  existsSync(join(dir, 'calls'))
    ? readFileSync(join(dir, 'calls'), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !/^(java|mvn -version|go env)/.test(line))
    : [];

describe('ensureArtifacts', () => {
  test('installs every part once, and finds it without Maven and Go afterwards', async () => {
    const first = await ensureArtifacts({ cacheDir, classArchives: false });
    for (const path of Object.values(first).slice(1)) expect(existsSync(path)).toBe(true);
    expect(first.java).toBe(join(dir, 'jdk', 'bin', 'java'));
    const count = builds().length;
    expect(count).toBe(6);
    await tool('mvn', 'exit 1');
    await tool('go', 'exit 1');
    expect(await ensureArtifacts({ cacheDir, classArchives: false })).toEqual(first);
    expect(builds()).toHaveLength(count);
  });

  test('two at once install each part once: the second waits', async () => {
    const events: SetupEvent[] = [];
    const [one, two] = await Promise.all([
      ensureArtifacts({ cacheDir, classArchives: false, progress: (event) => events.push(event) }),
      ensureArtifacts({ cacheDir, classArchives: false, progress: (event) => events.push(event) }),
    ]);
    expect(one).toEqual(two);
    expect(builds()).toHaveLength(6);
    expect(events.filter((event) => event.state === 'ready')).toHaveLength(12);
    expect(events.some((event) => event.detail?.startsWith('waiting for another set-up'))).toBe(true);
  });

  test('a tool that fails is quoted, the others are stopped, and what was finished is kept', async () => {
    await tool(
      'go',
      `case "$1" in env) echo go1.25.1; echo auto;; *) sleep 0.7; echo "no route to the proxy" >&2; exit 3;; esac`,
    );
    const error = (await ensureArtifacts({ cacheDir, classArchives: false }).catch((e: unknown) => e)) as ArgusError;
    expect(error.code).toBe('SetupFailed');
    expect(error.message).toContain('no route to the proxy');
    expect(error.hint).toContain('run the same command again');
    expect(readdirSync(cacheDir).some((name) => name.startsWith('kafka-'))).toBe(true);
    expect(readdirSync(cacheDir).filter((name) => name.includes('.building-') || name.startsWith('.lock'))).toEqual([]);
    await tool('go', fakeGo);
    const before = builds().length;
    await ensureArtifacts({ cacheDir, classArchives: false });
    expect(builds().length - before).toBeLessThan(6);
  });

  test('an abort ends the tools and everything that they started, and leaves nothing half done', async () => {
    await tool(
      'mvn',
      `case "$*" in *-version*) echo "Apache Maven 3.9.9";; *) sleep 60 & echo $! > ${dir}/grandchild; wait;; esac`,
    );
    const stop = new AbortController();
    const running = ensureArtifacts({ cacheDir, classArchives: false, signal: stop.signal });
    await expect.poll(() => existsSync(join(dir, 'grandchild')), { timeout: 10_000 }).toBe(true);
    const reason = new Error('stopped by the test');
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    const pid = Number(readFileSync(join(dir, 'grandchild'), 'utf8'));
    await expect.poll(() => isRunning(pid)).toBe(false);
    expect(readdirSync(cacheDir).filter((name) => name.includes('.building-') || name.startsWith('.lock'))).toEqual([]);
  });

  test('a tool that is absent or too old is named with what to install, before anything is done', async () => {
    await tool('go', 'echo go1.19.8; echo');
    await tool('mvn', 'exit 127');
    const error = (await ensureArtifacts({ cacheDir, classArchives: false }).catch((e: unknown) => e)) as ArgusError;
    expect([error.code, error.exitCode]).toEqual(['PrerequisiteMissing', 2]);
    expect(error.message).toContain('found 1.19.8');
    expect(error.message).toContain('apt-get install -y maven');
    expect(error.message).not.toContain('openjdk');
    expect(existsSync(cacheDir)).toBe(false);
  });
});

test('the cache folder is ARGUS_LAB_CACHE, else a folder in the XDG cache, else in ~/.cache', () => {
  expect(defaultCacheDir({ ARGUS_LAB_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(defaultCacheDir({ XDG_CACHE_HOME: '/b' })).toBe('/b/argus-lab');
  expect(defaultCacheDir({})).toMatch(/\.cache\/argus-lab$/);
});

/** Whether the process is there and no zombie. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
