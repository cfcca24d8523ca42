import type { AutomaticStanding, KeptDecision } from '../state/decisions.ts';

/** What is shown of automatic mode. */
export interface AutomaticStatus {
  readonly mode: string;
  readonly observers: number;
  /** A daemon told it lately. */
  readonly fresh: boolean;
  readonly standing: AutomaticStanding | undefined;
  /** The newest first. */
  readonly decisions: readonly KeptDecision[];
  readonly nowMs: number;
}

/** A standing that is older says nothing of now. */
const freshMs = 30_000;

/** Whether a daemon told this lately. Pure. */
export const standingIsFresh = ({ atMs }: Pick<AutomaticStanding, 'atMs'>, nowMs: number): boolean =>
  nowMs - atMs < freshMs;

/** For `argus status`: which verdicts stand, and what is decided; nothing while nobody tells. Pure. */
export function standingLines(standing: AutomaticStanding | undefined): readonly string[] {
  if (standing === undefined) return [];
  const verdicts = standing.verdicts.map((v) => (v.subject === undefined ? v.code : `${v.code} ${v.subject}`));
  const { kind, reasons } = standing.decision;
  const why = reasons.length === 0 ? '' : ` (${reasons.map((r) => r.code).join(', ')})`;
  return ['', `verdicts   ${verdicts.join(', ') || 'none yet'}`, `automatic  ${standing.mode}: ${kind}${why}`];
}

const instant = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const ago = (ms: number) => `${Math.max(0, Math.round(ms / 1_000))} s ago`;

/** Mode, verdicts with their evidence, and what was decided, for people. Pure. */
export function renderAutomatic({ mode, observers, fresh, standing, decisions, nowMs }: AutomaticStatus): string {
  const lines = [`mode ${mode}, ${observers} observer${observers === 1 ? '' : 's'} configured`];
  if (standing === undefined) lines.push('no daemon has told yet how things stand');
  else {
    const told = `told by ${standing.by} ${ago(nowMs - standing.atMs)}`;
    lines.push(fresh ? told : `${told}: nobody tells how things stand now`, '');
    for (const v of standing.verdicts) {
      const subject = v.subject === undefined ? '' : ` ${v.subject}`;
      const part = v.partOf === undefined ? '' : ` (goes with ${v.partOf})`;
      lines.push(`${v.code}${subject}, ${v.severity}, since ${instant(v.sinceMs)}${part}: ${v.sentence}`);
      for (const e of v.evidence) lines.push(`  - ${e}`);
    }
    if (standing.verdicts.length === 0) lines.push('no verdict: the observers have not told enough yet');
    const { kind, sentence, reasons, sinceMs } = standing.decision;
    lines.push('', `decision: ${kind} since ${instant(sinceMs)}: ${sentence}`);
    for (const r of reasons) lines.push(`  - ${r.code}: ${r.message}`);
  }
  if (decisions.length > 0) lines.push('', 'decided before, the newest first:');
  for (const d of decisions) {
    const codes = d.reasons.map((r) => r.code).join(', ');
    lines.push(`  ${instant(d.atMs)} ${d.kind}${codes === '' ? '' : ` (${codes})`}: ${d.sentence}`);
  }
  return lines.join('\n');
}
