// Installs the lab's artifacts and prints where they are: `node lab/setup/main.ts [--json]`.
import { ArgusError, describeError } from '../../domain/errors.ts';
import { ensureArtifacts } from './artifacts.ts';
import { progressLines } from './progress-lines.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)));

try {
  const artifacts = await ensureArtifacts({
    signal: stop.signal,
    progress: progressLines((line) => process.stderr.write(`${line}\n`)),
  });
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(artifacts, null, 2)}\n`);
  else {
    const { classArchives, ...paths } = artifacts;
    for (const [name, path] of Object.entries({ ...paths, ...classArchives })) {
      process.stdout.write(`${name.padEnd(14)} ${path}\n`);
    }
  }
} catch (error) {
  if (stop.signal.aborted) {
    process.stderr.write('stopped; what is finished is kept, the same command goes on from here\n');
    process.exitCode = 130;
  } else {
    process.stderr.write(`error: ${describeError(error)}\n`);
    if (error instanceof ArgusError && error.hint) process.stderr.write(`hint: ${error.hint}\n`);
    process.exitCode = error instanceof ArgusError ? error.exitCode : 1;
  }
}
