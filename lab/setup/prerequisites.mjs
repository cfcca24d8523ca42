// What the lab needs from the machine. Plain JavaScript for an older Node (18 and later), because the scripts ask it
// before the project's own Node is installed.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const probes = {
  java: {
    name: 'Java (JDK)',
    needed: '17 or later, with its compiler',
    why: 'Kafka and Flink run on it, and the job is compiled with it',
    install: { debian: 'sudo apt-get install -y openjdk-17-jdk-headless', macos: 'brew install openjdk@17' },
    look: lookForJava,
  },
  maven: {
    name: 'Maven',
    needed: '3.6.3 or later',
    why: 'it fetches Kafka and Flink and builds the job',
    install: { debian: 'sudo apt-get install -y maven', macos: 'brew install maven' },
    look: lookForMaven,
  },
  go: {
    name: 'Go',
    needed: '1.25 or later (versitygw 1.8.0 asks for it), or 1.21 and later with GOTOOLCHAIN=auto',
    why: 'it builds the object store (versitygw) and the network links (toxiproxy)',
    install: {
      debian:
        "sudo apt-get install -y golang-go where that is 1.21 or later (apt-cache policy golang-go); else the archive from Go's download page, unpacked to /usr/local/go, with /usr/local/go/bin in PATH",
      macos: 'brew install go',
    },
    look: lookForGo,
  },
};

/**
 * Looks for each tool: `{id, name, needed, why, found?, path?, ok, problem?, install: {debian, macos}}` in a fixed
 * order. Never throws; a tool that can't be run counts as absent.
 * @param {readonly string[]} [ids] which of `java`, `maven`, `go`; all by default
 */
export async function checkPrerequisites(ids = Object.keys(probes)) {
  return Promise.all(
    ids.map(async (id) => {
      const { look, ...about } = probes[id];
      return { id, ...about, ...(await look()) };
    }),
  );
}

/** One line for a tool that is there, and for an absent one how to install it. */
export function describePrerequisite(result, platform = process.platform) {
  if (result.ok) return `${result.name} ${result.found}`;
  const have = result.found ? `found ${result.found}` : 'not found';
  const problem = result.problem ? `${have}: ${result.problem}` : have;
  const lines = [`${result.name}: ${problem}; needed is ${result.needed} (${result.why})`];
  if (platform === 'darwin') lines.push(`  macOS: ${result.install.macos}`);
  else lines.push(`  Debian, Ubuntu: ${result.install.debian}`);
  return lines.join('\n');
}

/** Whether `version` is at least `wanted`, compared number by number: '1.9' is before '1.25'. */
export function isAtLeast(version, wanted) {
  const have = version.split(/[^0-9]+/).map(Number);
  const want = wanted.split('.').map(Number);
  for (let i = 0; i < want.length; i++) {
    const difference = (have[i] || 0) - want[i];
    if (difference !== 0) return difference > 0;
  }
  return true;
}

async function lookForJava() {
  const command = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
  const text = await output(command, ['-XshowSettings:properties', '-version']);
  const property = (name) => new RegExp(`^\\s*${name.replace('.', '\\.')} = (.*)$`, 'm').exec(text ?? '')?.[1]?.trim();
  const found = property('java.version');
  const home = property('java.home');
  if (!found || !home) {
    return process.env.JAVA_HOME
      ? { ok: false, problem: `JAVA_HOME (${process.env.JAVA_HOME}) has no working java` }
      : { ok: false };
  }
  const path = join(home, 'bin', 'java');
  if (!isAtLeast(found, '17')) return { ok: false, found, path };
  if (!existsSync(join(home, 'bin', 'javac'))) {
    return { ok: false, found, path, problem: 'this is a runtime without the compiler' };
  }
  return { ok: true, found, path };
}

async function lookForMaven() {
  const text = await output('mvn', ['-version', '-Dstyle.color=never']);
  const found = /Apache Maven ([0-9][0-9.]*)/.exec(text ?? '')?.[1];
  return found ? { ok: isAtLeast(found, '3.6.3'), found } : { ok: false };
}

async function lookForGo() {
  const text = await output('go', ['env', 'GOVERSION', 'GOTOOLCHAIN']);
  const [version = '', toolchain = ''] = (text ?? '').split('\n').map((line) => line.trim());
  const found = /^go(\d\S*)/.exec(version)?.[1];
  if (!found) return { ok: false };
  const fetchesNewer = isAtLeast(found, '1.21') && /auto|path/.test(toolchain);
  return { ok: isAtLeast(found, '1.25') || fetchesNewer, found };
}

/** Both output streams as text (java writes to stderr); undefined when the tool can't be run or fails. */
function output(command, args) {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 30_000, encoding: 'utf8' }, (error, stdout, stderr) => {
      resolve(error ? undefined : `${stdout}${stderr}`);
    });
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const results = await checkPrerequisites();
  for (const result of results) console.log(`${result.ok ? 'ok      ' : 'missing '} ${describePrerequisite(result)}`);
  if (process.platform !== 'linux')
    console.log(
      'note     the lab is tried on Linux only; elsewhere 127.0.1.1 and 127.0.2.1 must first be added to the loopback interface',
    );
  process.exitCode = results.every((result) => result.ok) ? 0 : 2;
}
