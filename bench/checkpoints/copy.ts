import { siblingEntry } from '../../lab/entry.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { type BareStage, endProcess, setBareStage, startNode } from '../mirror/stage.ts';
import type { CopySettings, CopyStep } from './copy-process.ts';
import { type CopyRow, renderCopies } from './copy-report.ts';
import { FOLDER, putFiles, putMetadata, type SharedFile } from './copy-sample.ts';
import { ensureRclone, type ProcessTimes, rcloneSync, timed } from './rclone.ts';
import { type BenchServer, type StoreAt, startBenchServer } from './stores.ts';

const MIB = 1 << 20;
/** As the mirror's bench has it: so much in each direction. */
const DELAY_MS = 20;

export interface CopyBenchOptions {
  /** A tenth of everything. */
  readonly quick: boolean;
  readonly pairs: number;
  /** Which of them, by `shapes`; all when empty. */
  readonly shapes: readonly string[];
  say(line: string): void;
}

/** The names of what can be measured. */
export const copyShapes = ['small', 'small-far', 'large', 'steady', 'lag'] as const;

interface Hall {
  readonly stage: BareStage;
  readonly rclone: string;
  readonly primary: BenchServer;
  readonly standby: BenchServer;
  readonly options: CopyBenchOptions;
}

/** Copies between two stores, Argus and rclone in turn. Gives Markdown. */
export async function measureCopies(options: CopyBenchOptions, signal: AbortSignal): Promise<string> {
  const { quick, say, shapes } = options;
  const stage = await setBareStage(signal, say);
  try {
    const rclone = await ensureRclone(signal, progressLines(say));
    const [primary, standby] = [await startBenchServer(stage, 'primary'), await startBenchServer(stage, 'standby')];
    const hall: Hall = { stage, rclone, primary, standby, options };
    const scale = quick ? 10 : 1;
    const wanted = (shape: (typeof copyShapes)[number]) => shapes.length === 0 || shapes.includes(shape);
    const rows: CopyRow[] = [];
    const small = { files: 2_000 / scale, sizeBytes: 64 * 1024 };
    if (wanted('small')) rows.push(...(await measureWhole(hall, 'small', { ...small, delayMs: 0 })));
    if (wanted('small-far')) rows.push(...(await measureWhole(hall, 'small-far', { ...small, delayMs: DELAY_MS })));
    const large = { files: 8, sizeBytes: Math.floor((128 * MIB) / scale) };
    if (wanted('large')) rows.push(...(await measureWhole(hall, 'large', { ...large, delayMs: 0 })));
    if (wanted('steady')) rows.push(...(await measureSteady(hall, 20_000 / scale)));
    if (wanted('lag')) rows.push(...(await measureLag(hall, 16, Math.floor((64 * MIB) / scale))));
    return renderCopies(rows);
  } finally {
    await stage.strike();
  }
}

/** One whole checkpoint into an empty bucket. */
async function measureWhole(
  hall: Hall,
  shape: string,
  size: { readonly files: number; readonly sizeBytes: number; readonly delayMs: number },
): Promise<readonly CopyRow[]> {
  const { primary, standby, options } = hall;
  const near = primary.makeBucket(shape);
  const source = open(near);
  await putMetadata(source, 1, await putFiles(source, 'file', size.files, size.sizeBytes));
  await source.close();
  const from = size.delayMs === 0 ? near : await primary.farAway(near, size.delayMs);
  const argus: ArgusRun[] = [];
  const warm: ArgusRun[] = [];
  const rclone: ProcessTimes[] = [];
  const runArgus = async (bucket: string, warmUp: boolean): Promise<ArgusRun> => {
    const to = standby.makeBucket(bucket);
    const before = `${bucket}-before`;
    const warmUpInto = warmUp ? { warmUpInto: standby.makeBucket(before) } : {};
    const settings: CopySettings = { from, to, mode: 'once', ...warmUpInto };
    const times = await timed(process.execPath, [processEntry, JSON.stringify(settings)]);
    for (const used of [bucket, before]) standby.removeBucket(used);
    const step = JSON.parse(lastLine(times.stderr)) as CopyStep;
    if (step.files !== size.files) throw new Error(`Argus copied ${step.files} files, not ${size.files}`);
    return { ...times, step };
  };
  for (let pair = 1; pair <= options.pairs; pair++) {
    await inTurn(pair, [
      async () => {
        argus.push(await runArgus(`${shape}-a${pair}`, false));
        warm.push(await runArgus(`${shape}-w${pair}`, true));
      },
      async () => {
        const to = standby.makeBucket(`${shape}-r${pair}`);
        rclone.push(await rcloneSync(hall.rclone, from, to, FOLDER));
        standby.removeBucket(to.bucket);
      },
    ]);
    const seconds = (run: ProcessTimes | CopyStep | undefined) => `${run?.wallSeconds} (${run?.cpuSeconds} CPU)`;
    const [cold, again] = [argus.at(-1), warm.at(-1)?.step];
    options.say(
      `${shape} ${pair}: Argus ${seconds(cold)}, its copy ${seconds(cold?.step)}, compiled ${seconds(again)}; rclone ${seconds(rclone.at(-1))}`,
    );
  }
  primary.removeBucket(near.bucket);
  const row = (figure: string, of: (run: ArgusRun) => number, ofRclone?: (run: ProcessTimes) => number): CopyRow => ({
    shape,
    figure,
    argus: argus.map(of),
    ...(ofRclone === undefined ? {} : { rclone: rclone.map(ofRclone) }),
  });
  const compiled = (
    figure: string,
    of: (run: CopyStep) => number,
    ofRclone: (run: ProcessTimes) => number,
  ): CopyRow => ({
    shape,
    figure: `${figure}, in a process that has copied before`,
    argus: warm.map((run) => of(run.step)),
    rclone: rclone.map(ofRclone),
  });
  const [wall, cpu] = [(run: ProcessTimes) => run.wallSeconds, (run: ProcessTimes) => run.cpuSeconds];
  return [
    row('wall, s', (run) => run.step.wallSeconds, wall),
    row('CPU, s', (run) => run.step.cpuSeconds, cpu),
    compiled('wall, s', (run) => run.wallSeconds, wall),
    compiled('CPU, s', (run) => run.cpuSeconds, cpu),
    row('wall with the start of Node, s', wall, wall),
    row('CPU with the start of Node, s', cpu, cpu),
    row('peak memory, MiB', (run) => run.step.peakMiB),
  ];
}

/** A process of Argus, and in it the copy. */
interface ArgusRun extends ProcessTimes {
  readonly step: CopyStep;
}

/** A replica that is up to date, and one more checkpoint of 40 new files. */
async function measureSteady(hall: Hall, objects: number): Promise<readonly CopyRow[]> {
  const { primary, standby, options } = hall;
  const from = primary.makeBucket('steady');
  const source = open(from);
  let live: readonly SharedFile[] = await putFiles(source, 'old', objects, 1_024);
  await putMetadata(source, 1, live);
  const [toArgus, toRclone] = [standby.makeBucket('steady-argus'), standby.makeBucket('steady-rclone')];
  const child = startNode(hall.stage, copyProcess, { from, to: toArgus, mode: 'asked' } satisfies CopySettings);
  await child.message<CopyStep>();
  await rcloneSync(hall.rclone, from, toRclone, FOLDER);
  const requests = (to: StoreAt) => primary.requests(from.bucket) + standby.requests(to.bucket);
  const runs = { argus: [] as (CopyStep & { asked: number })[], rclone: [] as (ProcessTimes & { asked: number })[] };
  for (let pair = 1; pair <= options.pairs; pair++) {
    live = [...live.slice(40), ...(await putFiles(source, `new-${pair}`, 40, 64 * 1024))];
    await putMetadata(source, pair + 1, live);
    await inTurn(pair, [
      async () => {
        const before = requests(toArgus);
        child.send('go');
        const step = await child.message<CopyStep>();
        if (step.files !== 40) throw new Error(`Argus copied ${step.files} files, not 40`);
        runs.argus.push({ ...step, asked: requests(toArgus) - before });
      },
      async () => {
        const before = requests(toRclone);
        const times = await rcloneSync(hall.rclone, from, toRclone, FOLDER);
        runs.rclone.push({ ...times, asked: requests(toRclone) - before });
      },
    ]);
    options.say(
      `steady ${pair}: Argus ${JSON.stringify(runs.argus.at(-1))}, rclone ${JSON.stringify(runs.rclone.at(-1))}`,
    );
  }
  await endProcess(child.pid);
  await source.close();
  primary.removeBucket(from.bucket);
  for (const { bucket } of [toArgus, toRclone]) standby.removeBucket(bucket);
  const row = (figure: string, of: (run: { wallSeconds: number; cpuSeconds: number; asked: number }) => number) => ({
    shape: 'steady',
    figure,
    argus: runs.argus.map(of),
    rclone: runs.rclone.map(of),
  });
  return [
    row('wall, s', (run) => run.wallSeconds),
    row('CPU, s', (run) => run.cpuSeconds),
    row('requests to both stores', (run) => run.asked),
  ];
}

/** From the moment at which a checkpoint is complete on the primary until its manifest is on the replica. */
async function measureLag(hall: Hall, files: number, sizeBytes: number): Promise<readonly CopyRow[]> {
  const { primary, standby, options } = hall;
  const from = primary.makeBucket('lag');
  const to = standby.makeBucket('lag-argus');
  const source = open(from);
  const child = startNode(hall.stage, copyProcess, { from, to, mode: 'always' } satisfies CopySettings);
  const seconds: number[] = [];
  for (let id = 1; id <= options.pairs; id++) {
    await putMetadata(source, id, await putFiles(source, `increment-${id}`, files, sizeBytes));
    const completedAtMs = Date.now();
    const { checkpointId, committedAtMs = Number.NaN, wallSeconds, cpuSeconds } = await child.message<CopyStep>();
    if (checkpointId !== id) throw new Error(`checkpoint ${checkpointId} was committed, not ${id}`);
    seconds.push((committedAtMs - completedAtMs) / 1_000);
    options.say(`lag ${id}: ${seconds.at(-1)} s; the copy ${wallSeconds} s, ${cpuSeconds} s CPU`);
  }
  await endProcess(child.pid);
  await source.close();
  primary.removeBucket(from.bucket);
  standby.removeBucket(to.bucket);
  return [{ shape: 'lag', figure: 'from completion to committed, s', argus: seconds }];
}

const copyProcess = '../checkpoints/copy-process';
const processEntry = siblingEntry(import.meta.url, './copy-process');

function open(store: StoreAt) {
  // What is put here is large, and not what is measured.
  return s3ObjectStore({ ...store, pathStyle: true, timeoutMs: 300_000 });
}

/** The one goes first in odd pairs, the other in even ones. */
async function inTurn(pair: number, both: readonly [() => Promise<void>, () => Promise<void>]): Promise<void> {
  for (const run of pair % 2 === 1 ? both : both.toReversed()) await run();
}

function lastLine(text: string): string {
  return text.split('\n').findLast((line) => line.startsWith('{')) ?? '{}';
}
