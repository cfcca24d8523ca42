// Measures Argus' mirror beside MirrorMaker 2: `npm run bench:mirror`.
import { ArgusError, describeError } from '../../domain/errors.ts';
import { measureAcceptRate } from './accept-rate.ts';
import { argusMirror } from './argus-mirror.ts';
import { type BenchBroker, startBroker } from './broker.ts';
import { type CopyRun, measureCopy } from './copy.ts';
import { startDistance } from './distance.ts';
import { measureIdle } from './idle.ts';
import { type LatencyRun, measureLatency } from './latency.ts';
import type { MirrorTool } from './mirror-tool.ts';
import { mirrorMaker } from './mirrormaker.ts';
import { type BenchOptions, readOptions, usage } from './options.ts';
import { type BenchResult, type CopyResult, describeMachine, renderReport } from './report.ts';
import { farShape, quickShape, type Shape, shapes, transactionalShape } from './shapes.ts';
import { produceSource } from './source-data.ts';
import { type Stage, setStage } from './stage.ts';

/** To the source and back it is twice as long. */
const delayMs = 40;
/** A broker takes requests of several connections at once: how many it takes best is tried. */
const senderConnections = [1, 4];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Bench {
  readonly stage: Stage;
  readonly options: BenchOptions;
  readonly argus: MirrorTool;
  readonly mirrorMaker: MirrorTool | undefined;
}

async function measureShape(bench: Bench, id: string, source: BenchBroker, target: BenchBroker): Promise<CopyResult> {
  const { stage, options } = bench;
  const full = [...shapes, transactionalShape].find((s) => s.id === id) ?? farShape;
  const shape = options.quick ? quickShape(full) : full;
  const far = full === farShape;
  stage.say(`${shape.id}: producing ${shape.records.toLocaleString('en')} records of ${shape.recordBytes} bytes`);
  await produceSource(stage, source, shape);
  const address = far ? (await startDistance(stage, source, delayMs)).address : source.address;
  const result = {
    shape,
    argus: [] as CopyRun[],
    mirrorMaker: [] as CopyRun[],
    accepted: [] as CopyResult['accepted'],
  };
  const copy = async (tool: MirrorTool, into: CopyRun[], pair: number) => {
    const run = await measureCopy(stage, tool, shape, source, target, address);
    const figures = `${run.wallSeconds.toFixed(2)} s, CPU ${run.cpuSeconds.toFixed(2)} s, ${run.peakMiB.toFixed(0)} MiB`;
    stage.say(`  ${tool.name}, ${pair}: ${figures} (first record after ${run.startSeconds.toFixed(1)} s)`);
    into.push(run);
  };
  // First of all: it also lets the brokers compile their code.
  if (!far && !shape.transactions) result.accepted = await acceptRate(bench, shape, source, target);
  if (shape.transactions) {
    stage.say('  once by each without being counted, so that the brokers compile what transactions need');
    await copy(bench.argus, [], 0);
    if (bench.mirrorMaker) await copy(bench.mirrorMaker, [], 0);
  }
  for (let pair = 1; pair <= (far ? 1 : options.pairs); pair++) {
    await copy(bench.argus, result.argus, pair);
    if (bench.mirrorMaker) await copy(bench.mirrorMaker, result.mirrorMaker, pair);
  }
  await source.deleteTopics((topic) => topic === shape.id);
  return result;
}

/** The faster of the ways to send. */
async function acceptRate(
  { stage, options }: Bench,
  shape: Shape,
  source: BenchBroker,
  target: BenchBroker,
): Promise<CopyResult['accepted']> {
  const rate = (runs: CopyResult['accepted']) => runs.reduce((sum, r) => sum + r.records / r.wallSeconds, 0);
  let best: CopyResult['accepted'] = [];
  for (const connections of senderConnections) {
    const runs: CopyResult['accepted'][number][] = [];
    for (let i = 0; i < Math.min(options.pairs, 2); i++) {
      const run = await measureAcceptRate(stage, shape, source, target, connections);
      stage.say(`  prepared batches over ${connections}: ${(run.records / run.wallSeconds / 1000).toFixed(0)} krec/s`);
      runs.push(run);
    }
    if (rate(runs) > rate(best)) best = runs;
  }
  return best;
}

async function latencies(bench: Bench, source: BenchBroker, target: BenchBroker) {
  const { stage, options } = bench;
  const plan = options.quick
    ? { recordsPerSecond: 1_000, warmupSeconds: 2, seconds: 3 }
    : { recordsPerSecond: 1_000, warmupSeconds: 15, seconds: 20 };
  const result = { argus: [] as LatencyRun[], mirrorMaker: [] as LatencyRun[] };
  for (let pair = 1; pair <= Math.min(options.pairs, 2); pair++) {
    for (const tool of [bench.argus, bench.mirrorMaker]) {
      if (!tool) continue;
      const run = await measureLatency(stage, tool, plan, source, target);
      stage.say(
        `  latency, ${tool.name}: p50 ${run.mirrored.p50.toFixed(1)} ms, p99 ${run.mirrored.p99.toFixed(1)} ms`,
      );
      (tool === bench.argus ? result.argus : result.mirrorMaker).push(run);
    }
  }
  return result;
}

async function measure(bench: Bench): Promise<BenchResult> {
  const { stage, options } = bench;
  const result: Mutable<BenchResult> & { copies: CopyResult[]; failures: string[] } = { copies: [], failures: [] };
  /** A figure that fails is told, and the others are measured. */
  const figure = async (id: string, take: () => Promise<void>) => {
    if (!options.only.has(id)) return;
    try {
      await take();
    } catch (error) {
      stage.signal.throwIfAborted();
      stage.say(`  ${id} failed: ${describeError(error)}`);
      result.failures.push(`${id}: ${describeError(error)}`);
    }
  };
  const needed = [...options.only].some((id) => id !== 'idle');
  if (needed) {
    stage.say('starting two brokers');
    const [source, target] = await Promise.all([startBroker(stage, 'source'), startBroker(stage, 'standby')]);
    for (const { id } of [...shapes, transactionalShape]) {
      await figure(id, async () => void result.copies.push(await measureShape(bench, id, source, target)));
    }
    await figure('distance', async () => {
      result.distance = await measureShape(bench, 'distance', source, target);
    });
    await figure('latency', async () => {
      result.latency = await latencies(bench, source, target);
    });
    await Promise.all([source.stop(), target.stop()]);
  }
  await figure('idle', async () => {
    const plan = options.quick
      ? { topics: 2, partitionsEach: 1_000, seconds: 10 }
      : { topics: 10, partitionsEach: 1_000, seconds: 60 };
    stage.say(`idle: two brokers with ${plan.topics * plan.partitionsEach} partitions`);
    result.idle = await measureIdle(stage, bench.argus, plan);
  });
  return result;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    process.stdout.write(usage);
    return 0;
  }
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  const say = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
  let stage: Stage | undefined;
  try {
    stage = await setStage(stopping.signal, say);
    const head = [...describeMachine(stage.artifacts.java), ...describeRun(options)];
    const bench: Bench = {
      stage,
      options,
      argus: argusMirror(stage, { tuning: options.tuning, profileDir: options.profileDir }),
      mirrorMaker: options.alone ? undefined : mirrorMaker(stage),
    };
    const result = await measure(bench);
    process.stdout.write(`\n${renderReport(result, head)}`);
    return result.failures.length > 0 ? 1 : 0;
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    say('stopped');
    return 130;
  } finally {
    await stage?.strike();
  }
}

function describeRun(options: BenchOptions): readonly string[] {
  const tuning = Object.keys(options.tuning).length > 0 ? `, tuning ${JSON.stringify(options.tuning)}` : '';
  const quick = options.quick ? ' with a tenth of the records (--quick: no figures to compare)' : '';
  return [`${options.pairs} pairs in turn${quick}${tuning}; median (lowest–highest)`];
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`error: ${describeError(error)}\n`);
  if (error instanceof ArgusError && error.hint) process.stderr.write(`hint: ${error.hint}\n`);
  process.exitCode = error instanceof ArgusError ? error.exitCode : 1;
}
