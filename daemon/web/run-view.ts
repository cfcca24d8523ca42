import { z } from 'zod';
import { occasionIn } from '../../runbooks/occasion.ts';
import type { Json } from '../../state/journal.ts';
import { numberIn, partOf, textIn } from '../../state/json-parts.ts';
import type { RunRecord } from '../../state/run-record.ts';

const stepView = z.object({
  id: z.string(),
  title: z.string(),
  /** `waiting`: planned, and not begun. */
  status: z.enum(['waiting', 'started', 'done', 'already', 'failed', 'refused', 'compensated']),
  startedAtMs: z.number().exactOptional(),
  ms: z.number().exactOptional(),
  /** Why it failed, or was refused. */
  message: z.string().exactOptional(),
});

/** One run as the page and the API show it. */
export const runViewSchema = z.object({
  run: z.string(),
  runbook: z.string(),
  /** `interrupted`: its journal has no end, and nobody is at it. */
  status: z.enum(['running', 'done', 'failed', 'refused', 'interrupted']),
  by: z.string(),
  reason: z.string().exactOptional(),
  epoch: z.number(),
  startedAtMs: z.number(),
  /** Of its newest entry. */
  lastAtMs: z.number(),
  /** As its report says it: from the outage until the platform was back. */
  rtoMs: z.number().exactOptional(),
  /** What to do about an interrupted one. */
  hint: z.string().exactOptional(),
  steps: z.array(stepView),
});
export type RunView = z.output<typeof runViewSchema>;
export type StepView = RunView['steps'][number];

/** A run's record as it is shown: the steps that it planned, and how far it is. `attended`: a process is at it. Pure. */
export function runView(record: RunRecord, attended: boolean): RunView {
  const { reason } = occasionIn(record.details);
  const planned = stepsIn(record.details);
  const begun = new Map(record.steps.map((s) => [s.id, s]));
  const ids = [...new Set([...planned.keys(), ...begun.keys()])];
  const over = record.status !== 'running';
  const steps = ids.flatMap((id): StepView[] => {
    const step = begun.get(id);
    const common = { id, title: planned.get(id) ?? id };
    if (step === undefined) return over ? [] : [{ ...common, status: 'waiting' }];
    return [
      {
        ...common,
        status: step.status,
        startedAtMs: step.startedAtMs,
        ...('ms' in step ? { ms: step.ms } : {}),
        ...('error' in step ? { message: step.error.message } : {}),
      },
    ];
  });
  const rtoMs = numberIn(record.report, 'rtoMs');
  return {
    run: record.run,
    runbook: record.runbook,
    status: record.status === 'running' && !attended ? 'interrupted' : record.status,
    by: record.by,
    ...(reason === undefined ? {} : { reason }),
    epoch: record.epoch,
    startedAtMs: record.startedAtMs,
    lastAtMs: record.lastAtMs,
    ...(rtoMs === undefined ? {} : { rtoMs }),
    ...(record.hint === undefined ? {} : { hint: record.hint }),
    steps,
  };
}

/** Titles of the planned steps by id, in their order, where the run's first entry has them. */
function stepsIn(details: Json): ReadonlyMap<string, string> {
  const steps = partOf(details, 'steps');
  if (!Array.isArray(steps)) return new Map();
  return new Map(
    steps.flatMap((step): [string, string][] => {
      if (typeof step === 'string') return [[step, step]];
      const id = textIn(step, 'id');
      return id === undefined ? [] : [[id, textIn(step, 'title') ?? id]];
    }),
  );
}
