import { formatMs } from '../../health/render-status.ts';
import type { Hint, ReportModel, ReportStep } from './model.ts';

type Shown = Omit<ReportModel, 'hints'>;

/** Below this nothing is worth a person's time. */
const worthMs = 3_000;

/** What a step that took long tells, by the step's id. */
const bySlowStep: Readonly<Record<string, (step: ReportStep, took: string) => Hint>> = {
  'await-checkpoint': (_s, took) => ({
    code: 'FirstCheckpointSlow',
    sentence: `the first checkpoint of the restored jobs took ${took}: a shorter execution.checkpointing.interval ends this wait earlier, and loses less`,
  }),
  'start-jobs': (_s, took) => ({
    code: 'StartSlow',
    sentence: `the jobs took ${took} to run: keep the standby warm (slots that are free, or suspended FlinkDeployments with standing TaskManagers; argus standby check tells what is missing)`,
  }),
  'verify-names': (_s, took) => ({
    code: 'NamesSlow',
    sentence: `resolvers answered with the standby only after ${took}: lower the records' TTL, or have them proxied, so that no resolver caches the old address`,
  }),
  'flip-names': (_s, took) => ({
    code: 'DnsSlow',
    sentence: `the DNS provider took ${took} for the change: look at its limits, and at argus dns check`,
  }),
  'freeze-mirror': (_s, took) => ({
    code: 'DrainSlow',
    sentence: `the mirror took ${took} to be drained and stopped: it was behind; see its lag before the run, and mirror.throttle`,
  }),
  'choose-recovery-point': (_s, took) => ({
    code: 'ChoiceSlow',
    sentence: `choosing the recovery point took ${took}: keep fewer checkpoints on the replica (checkpoints.retention), or a nearer object store`,
  }),
  'prepare-restore': (_s, took) => ({
    code: 'CopySlow',
    sentence: `the restored state was copied first, ${took}: jobs that restore without CLAIM need no copy`,
  }),
  'stop-with-savepoint': (_s, took) => ({
    code: 'SavepointSlow',
    sentence: `the final savepoint took ${took}: native format, or incremental checkpoints with less state to write, make it shorter`,
  }),
  'await-catch-up': (_s, took) => ({
    code: 'CatchUpSlow',
    sentence: `the jobs needed ${took} to read what stood in the log: switch over when they are not behind`,
  }),
  'stop-primary-jobs': (_s, took) => ({
    code: 'StopSlow',
    sentence: `the primary's jobs took ${took} to be seen stopped`,
  }),
  'fence-primary': (_s, took) => ({
    code: 'FenceSlow',
    sentence: `the primary's Kafka took ${took} to be fenced, or not to answer: a guard (argus guard) shuts it from the inside`,
  }),
  'rescue-orphans': (_s, took) => ({
    code: 'RescueSlow',
    sentence: `keeping what only the old primary had took ${took}: the less the mirror lags, the less there is to keep`,
  }),
};

/** Where time or data could be saved: from the slowest steps, and from what the run had to put up with. Pure; the dearest first. */
export function hintsOf(model: Shown): readonly Hint[] {
  return [...slowSteps(model), ...before(model), ...ownTime(model), ...loss(model), ...standing(model)];
}

function slowSteps({ steps, startedAtMs, endedAtMs, drill }: Shown): readonly Hint[] {
  // What is broken on purpose is held for its time.
  if (drill === 'fault') return [];
  const totalMs = Math.max(1, endedAtMs - startedAtMs);
  return steps
    .filter((s) => (s.ms ?? 0) >= worthMs && (s.ms ?? 0) >= totalMs * 0.2)
    .toSorted((a, b) => (b.ms ?? 0) - (a.ms ?? 0))
    .slice(0, 3)
    .map((s) => {
      const took = `${formatMs(s.ms ?? 0)} of ${formatMs(totalMs)}`;
      // Every step may name whom it would wait for; of one that failed the journal has no time of that.
      const whom = s.waitsFor === undefined || s.waitedMs === 0 ? '' : `, waiting for ${s.waitsFor}`;
      return bySlowStep[s.id]?.(s, took) ?? { code: 'StepSlow', sentence: `“${s.title}” took ${took}${whom}` };
    });
}

function before({ outageAtMs, startedAtMs, rto, runbook }: Shown): readonly Hint[] {
  if (runbook !== 'failover' || outageAtMs === undefined || typeof rto?.ms !== 'number') return [];
  const waitedMs = startedAtMs - outageAtMs;
  if (waitedMs < 30_000 || waitedMs < rto.ms * 0.4) return [];
  return [
    {
      code: 'DecidedLate',
      sentence: `${formatMs(waitedMs)} of ${formatMs(rto.ms)} went by before the order: route the alerts (argus alerts), or let argus propose or begin it (automatic.mode)`,
    },
  ];
}

function ownTime({ share }: Shown): readonly Hint[] {
  if (share === undefined || share.ownMs < 5_000) return [];
  return [
    {
      code: 'OwnShareLarge',
      sentence: `${formatMs(share.ownMs)} were Argus' own: run it near the standby and its state, on a machine that is not busy`,
    },
  ];
}

function loss({ rpo, points, rejected, startedAtMs, outageAtMs, replayedRecords, output }: Shown): readonly Hint[] {
  const hints: Hint[] = [];
  if (rpo?.met === false)
    hints.push({
      code: 'RpoMissed',
      sentence: `the mirror was ${formatMs(rpo.ms ?? 0)} behind: see its lag in the plot, and what throttles it (argus mirror status)`,
    });
  if (rpo?.certainty === 'unknown' && rpo.topics.length > 0)
    hints.push({
      code: 'LossUnknown',
      sentence: 'nobody watched the primary: a daemon that always runs makes the loss known',
    });
  const oldest = Math.min(...points.flatMap((p) => p.completedAtMs ?? []));
  const ageMs = (outageAtMs ?? startedAtMs) - oldest;
  if (Number.isFinite(ageMs) && ageMs > 120_000)
    hints.push({
      code: 'RecoveryPointOld',
      sentence: `the recovery point was ${formatMs(ageMs)} old${replayedRecords === null ? '' : `, ${replayedRecords} records were read again`}: shorten the checkpoint interval, or see what refused the newer ones`,
    });
  const [first] = rejected;
  if (first !== undefined)
    hints.push({
      code: 'PointsRefused',
      sentence: `${rejected.length} newer ${rejected.length === 1 ? 'recovery point was' : 'recovery points were'} refused, the first by ${first.code}: ${first.message}`,
    });
  if (output.some((line) => line.includes('jobs.writes')))
    hints.push({
      code: 'SinksNotDeclared',
      sentence: 'declare the topics that the jobs write (jobs.writes): then doubled and missing output is counted',
    });
  return hints;
}

function standing({ accepted, samplesNote, related, leaks, journal }: Shown): readonly Hint[] {
  const cut = related.filter((r) => r.relation === 'gone on with by this run').length;
  return [
    ...(accepted.some((a) => a.includes('not seen stopped'))
      ? [
          {
            code: 'Unfenced',
            sentence:
              'the old primary could not be seen stopped: a guard in each region (argus guard) gives its word even when nobody reaches it',
          },
        ]
      : []),
    ...(leaks !== undefined && leaks.length > 0
      ? [
          {
            code: 'Leaks',
            sentence: `${leaks.length === 1 ? 'one thing of the drill is' : `${leaks.length} things of the drill are`} left: the next drill removes ${leaks.length === 1 ? 'it' : 'them'}`,
          },
        ]
      : []),
    ...(cut > 0
      ? [
          {
            code: 'CutOff',
            sentence: `it was cut off ${cut === 1 ? 'once' : `${cut} times`} before: run it where neither a terminal nor a laptop's sleep ends it`,
          },
        ]
      : []),
    ...(samplesNote === undefined
      ? []
      : [
          {
            code: 'NobodyNoted',
            sentence: 'a daemon that runs all the time notes lag and checkpoint age, for the plots',
          },
        ]),
    ...(journal.chained
      ? []
      : [{ code: 'NoHashes', sentence: 'the journal has no hashes: it was written by an older version' }]),
  ];
}
