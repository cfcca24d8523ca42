import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import { spread } from '../mirror/statistics.ts';
import { largeMetadata } from './large-metadata.ts';
import type { RelocationRun } from './metadata-process.ts';

const here = fileURLToPath(import.meta.url);
const argusProgram = join(here, `../metadata-process${extname(here)}`);
/** Java runs it from its source. `npm run` works in the project's folder. */
const javaProgram = resolve('bench/checkpoints/java/ReadMetadata.java');
/** Any of version 6 will do. */
const captured = resolve('fixtures/flink/v6-p2-busy/_metadata');

/**
 * Reading and relocating a large `_metadata`, beside Flink's own reader and writer (the JVM's start not counted, but
 * nothing is warm either, as at a restore). In turn, each in a process of its own. Gives a Markdown table.
 */
export async function measureMetadata(handles: number, pairs: number, say: (line: string) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'argus-bench-metadata-'));
  try {
    const [file, relocated] = [join(folder, '_metadata'), join(folder, 'relocated')];
    writeFileSync(file, writeMetadata(largeMetadata(handles, readMetadata(readFileSync(captured)).properties)));
    const size = `${(statSync(file).size / 1e6).toFixed(0)} MB`;
    const { java, flinkLibs } = await ensureArtifacts({});
    const flags = ['-Xmx1g', '-Dlog4j2.level=ERROR', '-cp', `${flinkLibs}/*`, javaProgram];
    const argus: RelocationRun[] = [];
    const flink: RelocationRun[] = [];
    for (let pair = 1; pair <= pairs; pair++) {
      rmSync(relocated, { force: true });
      argus.push(await runProgram(process.execPath, [argusProgram, file, relocated]));
      flink.push(await runProgram(java, [...flags, file]));
      say(`metadata, ${pair}: Argus ${JSON.stringify(argus.at(-1))}, Flink ${JSON.stringify(flink.at(-1))}`);
    }
    const check = await runProgram(java, [...flags, relocated]);
    if (check.operators !== argus[0]?.operators) throw new Error('Flink does not read what Argus relocated');
    return [
      `\`_metadata\` of ${size}, about ${handles.toLocaleString('en')} handles; Flink reads the relocated one.`,
      '',
      '| figure | Argus | Flink | Argus / Flink |',
      '|---|---|---|---|',
      row('read, ms', argus, flink, (run) => run.readMs),
      row('relocate and write (Flink: write only), ms', argus, flink, (run) => run.writeMs),
      row('both, ms', argus, flink, (run) => run.readMs + run.writeMs),
      row('peak memory of the process, MiB', argus, flink, (run) => run.peakKiB / 1024),
    ].join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runProgram(program: string, args: readonly string[]): Promise<RelocationRun> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: 300_000 });
  return JSON.parse(stdout) as RelocationRun;
}

type Runs = readonly RelocationRun[];

function row(label: string, argus: Runs, flink: Runs, of: (run: RelocationRun) => number): string {
  const [a, f] = [spread(argus.map(of)), spread(flink.map(of))];
  const show = (s: typeof a) => `${s.median.toFixed(0)} (${s.min.toFixed(0)}–${s.max.toFixed(0)})`;
  return `| ${label} | ${show(a)} | ${show(f)} | ${(a.median / f.median).toFixed(2)} |`;
}
