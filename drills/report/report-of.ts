import { readPlatformVersions, regionVersionsText } from '../../health/platform-versions.ts';
import { type BegunWith, occasionIn } from '../../runbooks/occasion.ts';
import type { RunRecord } from '../../state/run-record.ts';
import type { ReportFacts } from './facts.ts';
import { hintsOf } from './hints.ts';
import { outcomeOf } from './measured.ts';
import type { RelatedRun, ReportModel } from './model.ts';
import { fieldOf, firstPastReturn, goesOnWith, stepsOf } from './steps-of.ts';

/** The report of a run, from what is known of it. Pure: the same facts give the same report. */
export function reportOf(facts: ReportFacts): ReportModel {
  const { record, inspected, samples } = facts;
  const { entries, raw, chained, fault } = inspected;
  const made = begunWithOf(record);
  const objectives = made?.objectives ?? facts.objectives;
  const later = { recount: facts.recount, rescued: facts.rescued };
  const outcome = outcomeOf(record.runbook, record.report, objectives, later);
  const [from, to] = [outcome.from ?? textIn(record, 'from'), outcome.to ?? textIn(record, 'to')];
  const { reason, startedFrom } = occasionIn(record.details);
  const passed = firstPastReturn(entries);
  const last = entries.at(-1);
  const shown: Omit<ReportModel, 'hints'> = {
    format: 'argus-report/1',
    run: record.run,
    runbook: record.runbook,
    title: titleOf(record.runbook, outcome.drill, from, to),
    status: record.status,
    ...outcome,
    verdict: verdictOf(record, outcome.verdict),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    by: record.by,
    ...(startedFrom === undefined ? {} : { startedFrom }),
    ...(reason === undefined ? {} : { reason }),
    startedAtMs: record.startedAtMs,
    endedAtMs: record.lastAtMs,
    objectivesOf: made === undefined ? 'configuration' : 'run',
    steps: stepsOf(record, entries),
    ...(passed === undefined ? {} : { pointOfNoReturn: passed }),
    samples,
    ...(samples.length > 0
      ? {}
      : { samplesNote: 'nobody noted lag and checkpoint age around this run: no daemon led then' }),
    related: relatedTo(record, facts.others),
    versions: {
      ...(made === undefined ? {} : { argus: made.argus, node: made.node }),
      ...(made?.platform === undefined
        ? {}
        : { platform: made.platform.map((seen) => ({ ...seen, text: regionVersionsText(seen) })) }),
      reportBy: facts.version,
    },
    ...(made?.configSha256 === undefined ? {} : { configSha256: made.configSha256 }),
    madeAtMs: facts.madeAtMs,
    journal: {
      chained,
      ...(fault === undefined ? {} : { fault }),
      ...(last?.sha256 === undefined ? {} : { head: { seq: last.seq, sha256: last.sha256 } }),
      entries: raw,
    },
  };
  return { ...shown, hints: hintsOf(shown) };
}

function titleOf(runbook: string, drill: string | undefined, from: string | undefined, to: string | undefined): string {
  const what = drill === undefined ? runbook : `${drill} drill`;
  const name = what.charAt(0).toUpperCase() + what.slice(1);
  return from === undefined || to === undefined ? name : `${name}, ${from} → ${to}`;
}

function verdictOf(record: RunRecord, verdict: string): string {
  if (record.status !== 'running') return verdict;
  return record.hint === undefined
    ? 'its journal has no end: it is at work, or its process died'
    : `its journal has no end; ${record.hint}`;
}

/** What the run noted of its own begin; undefined in journals of older versions. Pure. */
function begunWithOf({ details }: RunRecord): BegunWith | undefined {
  const made = fieldOf(details, 'begunWith');
  const [argus, node, hash] = ['argus', 'node', 'configSha256'].map((name) => fieldOf(made, name));
  const objectives = fieldOf(made, 'objectives');
  const [rtoMs, rpoMs] = ['rtoMs', 'rpoMs'].map((name) => fieldOf(objectives, name));
  if (typeof argus !== 'string' || typeof node !== 'string') return undefined;
  if (typeof rtoMs !== 'number' || typeof rpoMs !== 'number') return undefined;
  const platform = readPlatformVersions(fieldOf(made, 'platform'));
  return {
    ...{ argus, node, objectives: { rtoMs, rpoMs } },
    ...(typeof hash === 'string' ? { configSha256: hash } : {}),
    ...(platform === undefined ? {} : { platform }),
  };
}

function textIn({ details }: RunRecord, name: string): string | undefined {
  const value = fieldOf(details, name);
  return typeof value === 'string' ? value : undefined;
}

function relatedTo(record: RunRecord, others: readonly RunRecord[]): readonly RelatedRun[] {
  const parts = fieldOf(record.report, 'runs');
  const named = new Set(Array.isArray(parts) ? parts : []);
  return others
    .filter((o) => o.run !== record.run)
    .flatMap((o): RelatedRun[] => {
      const common = { run: o.run, status: o.status, startedAtMs: o.startedAtMs };
      if (named.has(o.run)) return [{ ...common, relation: 'part of this drill' }];
      if (o.status === 'running' && goesOnWith(record, o)) return [{ ...common, relation: 'gone on with by this run' }];
      return record.status === 'running' && goesOnWith(o, record)
        ? [{ ...common, relation: 'went on with this run' }]
        : [];
    });
}
