import type { JournalEntry, Json } from '../../state/journal.ts';
import type { RunRecord } from '../../state/run-record.ts';
import type { ReportStep } from './model.ts';

/** A field of a JSON object; undefined where there is none. Pure. */
export function fieldOf(json: Json | undefined, name: string): Json | undefined {
  return json !== null && typeof json === 'object' && !Array.isArray(json) ? json[name] : undefined;
}

/**
 * Whether a run went on with one that was cut off. A drill names it; of other runs it is the next of the same move. Pure.
 */
export function goesOnWith(later: RunRecord, earlier: RunRecord): boolean {
  if (later.run <= earlier.run || later.runbook !== earlier.runbook) return false;
  if (later.runbook === 'drill') return fieldOf(later.details, 'resumes') === earlier.run;
  const epoch = fieldOf(earlier.details, 'rolesEpoch');
  return epoch !== undefined && fieldOf(later.details, 'rolesEpoch') === epoch;
}

const textOf = (json: Json | undefined) => (typeof json === 'string' ? json : undefined);
const listOf = (json: Json | undefined): readonly Json[] => (Array.isArray(json) ? json : []);

/** The steps of a run in their order, with what each saw. Pure. Times and evidence are the journal's. */
export function stepsOf(record: RunRecord, entries: readonly JournalEntry[]): readonly ReportStep[] {
  const titles = new Map<string, string>();
  const waitsFor = new Map<string, string>();
  for (const step of [...listOf(fieldOf(record.details, 'steps')), ...listOf(fieldOf(record.report, 'steps'))]) {
    const [id, title, whom] = ['id', 'title', 'waitsFor'].map((name) => textOf(fieldOf(step, name)));
    if (id !== undefined && title !== undefined) titles.set(id, title);
    if (id !== undefined && whom !== undefined) waitsFor.set(id, whom);
  }
  for (const wait of listOf(fieldOf(fieldOf(record.report, 'share'), 'waited'))) {
    const [step, whom] = [textOf(fieldOf(wait, 'step')), textOf(fieldOf(wait, 'for'))];
    if (step !== undefined && whom !== undefined) waitsFor.set(step, whom);
  }
  const [acted, takenBack] = [endsOf(entries, 'step-finished', 'step-failed'), endsOf(entries, 'step-compensated')];
  const first = firstPastReturn(entries)?.step;
  const begun = new Map(record.steps.map((s) => [s.id, s]));
  const order = [...begun.keys(), ...[...titles.keys()].filter((id) => !begun.has(id))];
  return order.map((id) => {
    const step = begun.get(id);
    const title = titles.get(id) ?? id;
    if (step === undefined) return { id, title, status: 'not-run' };
    const [act, back] = [acted.get(id), takenBack.get(id)];
    const { fact } = act ?? {};
    const waitedMs = fact?.kind === 'step-finished' ? fact.waitedMs : undefined;
    // Without entries there is only what they amount to, and of a step that was taken back that is its way back.
    const ms = fact?.ms ?? ('ms' in step && step.status !== 'compensated' ? step.ms : undefined);
    const error = fact?.kind === 'step-failed' ? fact.error : 'error' in step ? step.error : undefined;
    const whom = waitsFor.get(id);
    return {
      id,
      title,
      status: step.status,
      startedAtMs: step.startedAtMs,
      ...(ms === undefined ? {} : { ms }),
      ...(waitedMs === undefined ? {} : { waitedMs }),
      ...(whom === undefined ? {} : { waitsFor: whom }),
      ...(first === id ? { pointOfNoReturn: true as const } : {}),
      ...(error === undefined ? {} : { error }),
      ...(act && fact?.kind === 'step-finished'
        ? { evidence: { atMs: act.atMs, by: record.by, seen: fact.evidence } }
        : {}),
      ...(back === undefined ? {} : { takenBack: takenBackOf(back, record.by) }),
    };
  });
}

type FactOf<K> = Extract<JournalEntry['fact'], { readonly kind: K }>;
type Ended = 'step-finished' | 'step-failed' | 'step-compensated';

/** The last entry of these kinds of each step. */
function endsOf<K extends Ended>(entries: readonly JournalEntry[], ...kinds: readonly K[]) {
  const ends = new Map<string, { readonly atMs: number; readonly fact: FactOf<K> }>();
  for (const { atMs, fact } of entries)
    if ('step' in fact && fact.step !== undefined && (kinds as readonly string[]).includes(fact.kind))
      ends.set(fact.step, { atMs, fact: fact as FactOf<K> });
  return ends;
}

function takenBackOf(
  { atMs, fact }: { readonly atMs: number; readonly fact: FactOf<'step-compensated'> },
  by: string,
): NonNullable<ReportStep['takenBack']> {
  const { ms, evidence, error } = fact;
  return { ...{ atMs, by, ms, seen: evidence }, ...(error === undefined ? {} : { error }) };
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
