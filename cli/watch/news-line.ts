import { formatMs } from '../../health/render-status.ts';
import type { RunNews } from './journal-feed.ts';

/** What is new of a run as one line, with the step's title where it is known; nothing for what only the journal needs. Pure. */
export function newsLine(
  news: RunNews,
  steps: readonly { readonly id: string; readonly title: string }[],
): string | undefined {
  if (news.kind === 'note') return `    ${news.text}`;
  const { fact, run, epoch } = news.entry;
  const title = (id: string) => steps.find((s) => s.id === id)?.title ?? id;
  switch (fact.kind) {
    case 'run-started':
      return `${run}, by ${fact.by}, epoch ${epoch}`;
    case 'step-started':
      return `… ${title(fact.step)}`;
    case 'step-finished':
      return `✓ ${title(fact.step)} (${fact.status}, ${formatMs(fact.ms)})`;
    case 'step-failed':
      return `✗ ${title(fact.step)} (${fact.status}, ${formatMs(fact.ms)}): ${fact.error.message}`;
    case 'step-compensating':
      return undefined;
    case 'step-compensated':
      return fact.error === undefined
        ? `↶ ${fact.step} was taken back`
        : `✗ ${fact.step} was not taken back: ${fact.error.message}`;
    case 'run-interrupted':
      return `    the run was ${fact.by === undefined ? 'interrupted' : `stopped by ${fact.by}`}: ${fact.hint}`;
    case 'run-finished':
      return `the run ended: ${fact.outcome}`;
    default:
      return fact satisfies never;
  }
}
