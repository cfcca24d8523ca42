// Runs every npm script of the project. Plain JavaScript for an older Node (18 and later): it installs the packages,
// which bring the Node that everything else needs, builds, and goes on with that one.
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const node = bin('node');
const [task = 'help', ...args] = process.argv.slice(2);
/** Every process that a test run starts inherits this, so that leftovers can be told at its end. */
const runId = randomUUID();

let child;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to the whole group; a supervisor's signal is passed on.
    if (signal === 'SIGTERM' && child) child.kill(signal);
  });
}

/** Runs a command with our terminal; resolves with its exit code (128 + n for a signal). */
function run(command, commandArgs, env = {}) {
  return new Promise((resolve) => {
    child = spawn(command, commandArgs, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', (error) => {
      console.error(`error: ${command} could not be started: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

async function must(command, commandArgs, env) {
  const code = await run(command, commandArgs, env);
  if (code !== 0) process.exit(code);
}

/** Installs the packages when the lockfile is not the one they came from. */
async function packages() {
  const marker = join(root, 'node_modules', '.argus-lockfile');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted && existsSync(node)) return;
  console.error('installing npm packages …');
  // Not `npm ci`: that wants every optional package of every platform in the lockfile, and not every registry has them all.
  const install = ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  if (npm && /\.c?js$/.test(npm)) await must(process.execPath, [npm, ...install]);
  else await must('npm', install);
  if (!existsSync(node)) {
    console.error(
      "error: the package `node` did not bring its binary; npm's `ignore-scripts` must be off for this project",
    );
    process.exit(2);
  }
  writeFileSync(marker, wanted);
}

const build = () => must(node, [join(root, 'node_modules/typescript-native/bin/tsc'), '-p', 'tsconfig.build.json']);

/** Java, Maven and Go, before anything slow begins. */
async function prerequisites() {
  const { checkPrerequisites, describePrerequisite } = await import('../lab/setup/prerequisites.mjs');
  const absent = (await checkPrerequisites()).filter((p) => !p.ok);
  for (const p of absent) console.error(`error: ${describePrerequisite(p)}`);
  if (absent.length > 0) process.exit(2);
}

const vitest = (vitestArgs, env) => run(node, ['node_modules/vitest/vitest.mjs', 'run', ...vitestArgs], env);

async function check() {
  await must(node, ['node_modules/typescript-native/bin/tsc', '--noEmit', '-p', 'tsconfig.json']);
  await must(node, ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '.']);
  await must(node, [
    'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    '.',
  ]);
  await must(node, ['node_modules/knip/bin/knip.js']);
  await must(node, ['scripts/check-files.mjs']);
}

/** Runs test files, looks for processes that they left, and ends with the counts on a line of their own. */
async function tests(vitestArgs) {
  const out = mkdtempSync(join(tmpdir(), 'argus-test-'));
  const report = join(out, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await vitest([...reporters, ...vitestArgs], { ARGUS_TEST_RUN: runId });
  const left = await run(node, ['dist/tests/support/leftovers.js', runId]);
  let passed = 0;
  let failed = left === 0 ? 0 : 1;
  if (existsSync(report)) {
    const counts = JSON.parse(readFileSync(report, 'utf8'));
    passed += counts.numPassedTests;
    failed += counts.numFailedTests;
    skipped(counts.testResults);
  }
  if (code !== 0 && failed === 0) failed = 1;
  if (left === 0) passed += 1;
  rmSync(out, { recursive: true, force: true });
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

/** Names each group of tests that this machine can't run, with what it lacks. */
function skipped(files) {
  const titles = files.flatMap((file) => file.assertionResults).map(({ ancestorTitles }) => ancestorTitles[0] ?? '');
  for (const title of new Set(titles)) if (title.includes('(skipped, ')) console.log(`not run: ${title}`);
}

const tasks = {
  async build() {
    await packages();
    await build();
  },
  async check() {
    await packages();
    await check();
  },
  async argus() {
    await packages();
    await build();
    process.exit(await run(node, ['dist/cli/main.js', ...args]));
  },
  async lab() {
    await packages();
    await prerequisites();
    await build();
    process.exit(await run(node, ['dist/lab/cli.js', ...args]));
  },
  async demo() {
    await packages();
    await prerequisites();
    await build();
    process.exit(await run(node, ['--disable-warning=TimeoutNegativeWarning', 'dist/lab/demo.js', ...args]));
  },
  async 'test:unit'() {
    await packages();
    process.exit(await vitest(['--project', 'unit', ...args]));
  },
  async test() {
    await packages();
    await prerequisites();
    await build();
    await check();
    await must(node, ['dist/lab/setup/main.js']);
    const projects = ['unit', 'contract', 'e2e', 'cluster-lab'].flatMap((name) => ['--project', name]);
    await tests([...projects, ...args]);
  },
  async 'test:full'() {
    await packages();
    await prerequisites();
    await build();
    await must(node, ['dist/lab/setup/main.js']);
    await tests(['--project', 'full', '--project', 'cluster', ...args]);
  },
  async 'test:chaos'() {
    await packages();
    await prerequisites();
    await build();
    await must(node, ['dist/lab/setup/main.js']);
    await tests(['--project', 'chaos', ...args]);
  },
  async 'test:cluster'() {
    await packages();
    await prerequisites();
    await build();
    await must(node, ['dist/lab/setup/main.js']);
    await tests(['--project', 'cluster', ...args]);
  },
  async 'test:fuzz'() {
    await packages();
    await build();
    await tests(['--project', 'fuzz', ...args]);
  },
  async 'bench:help'() {
    await packages();
    await build();
    process.exit(await run(node, ['dist/bench/help/help.js', ...args]));
  },
  async 'bench:checkpoints'() {
    await packages();
    await prerequisites();
    await build();
    process.exit(await run(node, ['dist/bench/checkpoints/checkpoints.js', ...args]));
  },
  async 'bench:mirror'() {
    await packages();
    await prerequisites();
    await build();
    process.exit(await run(node, ['--disable-warning=TimeoutNegativeWarning', 'dist/bench/mirror/mirror.js', ...args]));
  },
};

if (!(task in tasks)) {
  console.error(`error: no task "${task}"; there are: ${Object.keys(tasks).join(', ')}`);
  process.exit(2);
}
mkdirSync(join(root, 'node_modules'), { recursive: true });
await tasks[task]();
