import { execFileSync, spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { AcceptRun } from './accept-rate.ts';
import type { CopyRun } from './copy.ts';
import type { IdleRun } from './idle.ts';
import type { LatencyRun } from './latency.ts';
import type { Shape } from './shapes.ts';
import { type Spread, spread } from './statistics.ts';

/** The copies of one shape. */
export interface CopyResult {
  readonly shape: Shape;
  readonly argus: readonly CopyRun[];
  readonly mirrorMaker: readonly CopyRun[];
  readonly accepted: readonly AcceptRun[];
}

export interface LatencyResult {
  readonly argus: readonly LatencyRun[];
  readonly mirrorMaker: readonly LatencyRun[];
}

/** What was measured; a figure that was left out or failed is missing. */
export interface BenchResult {
  readonly copies: readonly CopyResult[];
  readonly distance?: CopyResult;
  readonly latency?: LatencyResult;
  readonly idle?: IdleRun;
  readonly failures: readonly string[];
}

/** The result as Markdown. */
export function renderReport(result: BenchResult, head: readonly string[]): string {
  const parts = [head.map((line) => `- ${line}`).join('\n')];
  if (result.copies.length > 0) {
    const rows = ['| shape | figure | Argus | MirrorMaker 2 | MirrorMaker 2 / Argus |', '|---|---|---|---|---|'];
    parts.push([...rows, ...result.copies.flatMap(copyRows)].join('\n'));
  }
  if (result.copies.some((c) => c.accepted.length > 0)) {
    const rows = [
      '| shape | broker accepts, krec/s | its MB/s of records | Argus, krec/s | Argus / broker | sender CPU s | broker CPU s |',
      '|---|---|---|---|---|---|---|',
    ];
    parts.push([...rows, ...result.copies.flatMap(acceptRow)].join('\n'));
  }
  const others = [...distanceRows(result.distance), ...latencyRows(result.latency), ...idleRows(result.idle)];
  if (others.length > 0) parts.push(['| figure | Argus | MirrorMaker 2 |', '|---|---|---|', ...others].join('\n'));
  if (result.failures.length > 0) parts.push(result.failures.map((f) => `- failed: ${f}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

/** Machine, versions, date and load. */
export function describeMachine(java: string): readonly string[] {
  const git = (...args: string[]) => {
    try {
      return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      return ''; // Not a clone: the version stays unsaid.
    }
  };
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes';
  const [first] = cpus();
  const version = spawnSync(java, ['-version'], { encoding: 'utf8' }).stderr.match(/"(.+)"/)?.[1] ?? 'unknown';
  return [
    `${cpus().length} × ${first?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    `Argus ${git('rev-parse', '--short', 'HEAD') || 'unknown'}${changed} on Node ${process.version}; Kafka and MirrorMaker 2 4.3.1 on Java ${version}`,
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, load average ${loadavg()
      .map((l) => l.toFixed(1))
      .join(' ')} before the first figure`,
  ];
}

function copyRows({ shape, argus, mirrorMaker }: CopyResult): readonly string[] {
  const row = (label: string, of: (run: CopyRun) => number, digits: number) => {
    const [a, m] = [spread(argus.map(of)), spread(mirrorMaker.map(of))];
    return `| ${shape.id} | ${label} | ${show(a, digits)} | ${show(m, digits)} | ${factor(m.median / a.median)} |`;
  };
  return [
    row('wall, s', (r) => r.wallSeconds, 2),
    row('CPU of the mirror, s', (r) => r.cpuSeconds, 2),
    row("the same with its process' start, s", (r) => r.cpuSecondsWithStart, 2),
    row("CPU of the standby's broker, s", (r) => r.brokerCpuSeconds, 2),
    row('peak memory, MiB', (r) => r.peakMiB, 0),
    row('load average before', (r) => r.load, 1),
  ];
}

function acceptRow({ shape, argus, accepted }: CopyResult): readonly string[] {
  if (accepted.length === 0) return [];
  const rate = (r: { records: number; wallSeconds: number }) => r.records / r.wallSeconds / 1000;
  const [a, b] = [spread(argus.map(rate)), spread(accepted.map(rate))];
  const bytes = spread(accepted.map((r) => (rate(r) * shape.recordBytes) / 1000));
  const cpu = (of: (r: AcceptRun) => number) => show(spread(accepted.map(of)), 2);
  return [
    `| ${shape.id} | ${show(b, 0)} | ${show(bytes, 0)} | ${show(a, 0)} | ${(a.median / b.median).toFixed(2)} | ${cpu((r) => r.senderCpuSeconds)} | ${cpu((r) => r.brokerCpuSeconds)} |`,
  ];
}

function distanceRows(result: CopyResult | undefined): readonly string[] {
  if (!result) return [];
  const { shape, argus, mirrorMaker } = result;
  const rate = (runs: readonly CopyRun[]) =>
    show(spread(runs.map((r) => (r.records * shape.recordBytes) / r.wallSeconds / 1e6)), 1);
  const cpu = (runs: readonly CopyRun[]) => show(spread(runs.map((r) => r.cpuSeconds)), 2);
  return [
    `| one partition at 80 ms RTT, MB/s | ${rate(argus)} | ${rate(mirrorMaker)} |`,
    `| CPU of the mirror meanwhile, s | ${cpu(argus)} | ${cpu(mirrorMaker)} |`,
  ];
}

function latencyRows(result: LatencyResult | undefined): readonly string[] {
  if (!result) return [];
  const row = (label: string, of: (run: LatencyRun) => number) =>
    `| ${label} | ${show(spread(result.argus.map(of)), 1)} | ${show(spread(result.mirrorMaker.map(of)), 1)} |`;
  return [
    row('acknowledged by the source to seen on the standby at 1,000 records/s, p50, ms', (r) => r.mirrored.p50),
    row('p99, ms', (r) => r.mirrored.p99),
    row("the source's own acknowledgement, p50, ms", (r) => r.ack.p50),
    row('p99 of it, ms', (r) => r.ack.p99),
  ];
}

function idleRows(run: IdleRun | undefined): readonly string[] {
  if (!run) return [];
  const row = (label: string, text: string) => `| ${label} | ${text} | |`;
  const count = run.partitions.toLocaleString('en');
  return [
    row(
      `memory with ${count} idle partitions, MiB (peak)`,
      `${run.residentMiB.toFixed(0)} (${run.peakMiB.toFixed(0)})`,
    ),
    row('CPU meanwhile, % of a core', run.cpuPercent.toFixed(1)),
    row(
      "CPU of the source's and the standby's broker, %",
      `${run.sourceCpuPercent.toFixed(1)}, ${run.standbyCpuPercent.toFixed(1)}`,
    ),
    row(`a lag round over ${count} partitions, ms`, show(run.lagRoundMs, 0)),
  ];
}

function show({ median, min, max }: Spread, digits: number): string {
  if (Number.isNaN(median)) return '–';
  const text = median.toFixed(digits);
  return min === max ? text : `${text} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function factor(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(1)}×` : '–';
}
