import { formatMs } from '../health/render-status.ts';
import type { RunbookDocument } from '../runbooks/document/document.ts';

/** A runbook's document as plain text. Pure. */
export function renderRunbook(doc: RunbookDocument): string {
  const out = [
    `${doc.runbook} from ${doc.from} to ${doc.to}`,
    doc.purpose,
    ...doc.use.map((line) => `  - ${line}`),
    '',
  ];
  out.push(`objectives: RTO ${formatMs(doc.objectives.rtoMs)}, RPO ${formatMs(doc.objectives.rpoMs)}`);
  for (const c of doc.contacts) out.push(`call: ${c.name}${c.role === undefined ? '' : ` (${c.role})`}: ${c.reach}`);
  for (const line of doc.now) out.push(`now: ${line}`);
  for (const line of doc.unknown) out.push(`unknown: ${line}`);
  out.push('', 'commands', ...doc.commands.map((line) => `  $ ${line}`), '', 'you decide');
  for (const { question, answer } of doc.decisions) out.push(`  ${question}`, `    ${answer}`);
  out.push('', 'steps');
  doc.steps.forEach((step, i) => {
    if (step.id === doc.pointOfNoReturn) out.push('  ── from here on there is no way back ──');
    const usual = step.usual === null ? 'no earlier run' : `usually ${formatMs(step.usual.medianMs)}`;
    const done = step.state === 'done' ? ' [is so already]' : '';
    out.push(`  ${i + 1}. ${step.title}${done} (${usual}, at most ${formatMs(step.timeoutMs)})`);
    if (step.observes !== '') out.push(`       done when seen: ${step.observes}`);
    out.push(`       if it fails: ${step.onFailure.kind === 'stop' ? 'stops' : 'goes on'}; ${step.onFailure.hint}`);
    for (const c of step.calls) out.push(`       calls ${c.name} ${c.when} it: ${c.manual}`);
    for (const line of step.manual) out.push(`       by hand: ${line}`);
  });
  out.push('', 'refused');
  for (const r of doc.refusals)
    out.push(`  ${r.code}: ${r.when}; ${r.next}${r.now === undefined ? '' : `\n    NOW: ${r.now}`}`);
  out.push('', 'afterwards', ...doc.afterwards.map((line) => `  - ${line}`));
  return `${out.join('\n')}\n`;
}
