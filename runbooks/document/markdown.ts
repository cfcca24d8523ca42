import type { DocumentStep, RunbookDocument } from './document.ts';

/** The document as Markdown: headings, tables, commands in fences. Pure. */
export function renderMarkdown(doc: RunbookDocument): string {
  const { runbook, from, to, objectives } = doc;
  const out = [
    `# ${runbook[0]?.toUpperCase()}${runbook.slice(1)}: ${from} → ${to}`,
    '',
    `Made by \`argus runbook show ${runbook}\` at ${new Date(doc.madeAtMs).toISOString()}, with the values of that moment: make it anew rather than keep it.`,
    '',
    doc.purpose,
    '',
    ...doc.use.map((line) => `- ${line}`),
    '',
    '## Whom to call',
    '',
    ...(doc.contacts.length === 0
      ? ['Nobody is named: `contacts` in argus.yaml.']
      : table(
          ['who', 'for', 'how'],
          doc.contacts.map((c) => [c.name, c.role ?? '', c.reach]),
        )),
    '',
    '## How it stands',
    '',
    `- Objectives: RTO ${duration(objectives.rtoMs)}, RPO ${duration(objectives.rpoMs)}`,
    ...doc.now.map((line) => `- ${line}`),
    ...doc.unknown.map((line) => `- **Unknown:** ${line}`),
    '',
    '## Commands',
    '',
    '```',
    ...doc.commands,
    '```',
    '',
    '## What you decide',
    '',
    ...table(
      ['question', 'answer'],
      doc.decisions.map((d) => [d.question, d.answer]),
    ),
    '',
    '## Steps',
    '',
    ...doc.steps.flatMap((step, i) => [
      ...(step.id === doc.pointOfNoReturn ? ['> **Point of no return.** From here on nothing is taken back.', ''] : []),
      ...stepLines(step, i + 1),
    ]),
    '## When it is refused',
    '',
    ...table(
      ['code', 'when', 'what to do', 'now'],
      doc.refusals.map((r) => [`\`${r.code}\``, r.when, r.next, r.now ?? '']),
    ),
    '',
    '## Afterwards',
    '',
    ...doc.afterwards.map((line) => `- ${line}`),
  ];
  return `${out.join('\n')}\n`;
}

function stepLines(step: DocumentStep, n: number): readonly string[] {
  const { id, title, observes, state, usual, timeoutMs, onFailure, manual, calls } = step;
  const usually = usual === null ? 'no earlier run' : `usually ${duration(usual.medianMs)}`;
  const failed = onFailure.kind === 'stop' ? 'the run stops' : 'the run goes on and reports it';
  const call = (when: 'before' | 'after') =>
    calls.filter((c) => c.when === when).map((c) => `- Calls \`${c.name}\` ${when} it: \`${c.manual}\``);
  return [
    `### ${n}. ${title}`,
    '',
    `\`${id}\`${state === 'done' ? ', **is so already**' : ''}; ${usually}, at most ${duration(timeoutMs)}`,
    '',
    ...call('before'),
    ...(observes === '' ? [] : [`- Done when seen: ${observes}`]),
    `- If it fails: ${failed}; ${onFailure.hint}`,
    ...call('after'),
    ...(manual.length === 0 ? [''] : ['- By hand:', '', '```sh', ...manual, '```', '']),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((c) => c.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** `90 s`, `15 min`, `450 ms`. */
function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
  return `${Math.round(ms / 6_000) / 10} min`;
}
