import type { JournalEntry, Json } from '../../state/journal.ts';
import type { RunRecord } from '../../state/run-record.ts';
import type { ReportStep } from './model.ts';

/** A field of a JSON object; undefined where there is none. Pure. */
export function fieldOf(json: Json | undefined, name: string): Json | undefined {
  return json !== null && typeof json === 'object' && !Array.isArray(json) ? json[name] : undefined;
}

const textOf = (json: Json | undefined) => (typeof json === 'string' ? json : undefined);
const listOf = (json: Json | undefined): readonly Json[] => (Array.isArray(json) ? json : []);

/** The steps of a run in their order, with what each saw. Pure. Times and evidence are the journal's. */
export function stepsOf(record: RunRecord, entries: readonly JournalEntry[]): readonly ReportStep[] {
  const titles = new Map<string, string>();
  for (const step of [...listOf(fieldOf(record.details, 'steps')), ...listOf(fieldOf(record.report, 'steps'))]) {
    const [id, title] = [textOf(fieldOf(step, 'id')), textOf(fieldOf(step, 'title'))];
    if (id !== undefined && title !== undefined) titles.set(id, title);
  }
  const waitsFor = new Map<string, string>();
  for (const wait of listOf(fieldOf(fieldOf(record.report, 'share'), 'waited'))) {
    const [step, whom] = [textOf(fieldOf(wait, 'step')), textOf(fieldOf(wait, 'for'))];
    if (step !== undefined && whom !== undefined) waitsFor.set(step, whom);
  }
  const ended = new Map<string, JournalEntry>();
  for (const entry of entries) {
    const { fact } = entry;
    if (fact.kind === 'step-finished' || fact.kind === 'step-failed' || fact.kind === 'step-compensated')
      ended.set(fact.step, entry);
  }
  const first = firstPastReturn(entries)?.step;
  const begun = new Map(record.steps.map((s) => [s.id, s]));
  const order = [...begun.keys(), ...[...titles.keys()].filter((id) => !begun.has(id))];
  return order.map((id) => {
    const step = begun.get(id);
    const title = titles.get(id) ?? id;
    if (step === undefined) return { id, title, status: 'not-run' };
    const end = ended.get(id);
    const waitedMs = end?.fact.kind === 'step-finished' ? end.fact.waitedMs : undefined;
    const whom = waitsFor.get(id);
    return {
      id,
      title,
      status: step.status,
      startedAtMs: step.startedAtMs,
      ...('ms' in step ? { ms: step.ms } : {}),
      ...(waitedMs === undefined ? {} : { waitedMs }),
      ...(whom === undefined ? {} : { waitsFor: whom }),
      ...(first === id ? { pointOfNoReturn: true as const } : {}),
      ...('error' in step ? { error: step.error } : {}),
      ...('evidence' in step && end ? { evidence: { atMs: end.atMs, by: record.by, seen: step.evidence } } : {}),
    };
  });
}

/** The step from whose act on nothing was taken back, and when that began. Pure. */
export function firstPastReturn(
  entries: readonly JournalEntry[],
): { readonly step: string; readonly atMs: number } | undefined {
  const entry = entries.find(({ fact }) => 'pastReturn' in fact && fact.pastReturn === true);
  return entry && 'step' in entry.fact && entry.fact.step !== undefined
    ? { step: entry.fact.step, atMs: entry.atMs }
    : undefined;
}
