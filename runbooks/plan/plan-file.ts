import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';

/** What a plan relies on, by a name for people: it is carried out only while all of it is the same. */
export type PlanBasis = Readonly<Record<string, string>>;

const line = z.string().min(1);
const schema = z.strictObject({
  argusPlan: z.literal(1),
  runbook: line,
  madeAtMs: z.int().min(0),
  madeBy: line,
  from: line,
  to: line,
  /** What its options said, by the names that the command gives them. */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  steps: z.array(z.strictObject({ id: line, title: line, manual: z.array(z.string()) })).min(1),
  pointOfNoReturn: line,
  /** What each job is restored from: this one and no newer. */
  recoveryPoints: z.array(
    z.strictObject({ job: line, flinkJobId: line, checkpointId: z.int().min(0), completedAtMs: z.int() }),
  ),
  basis: z.record(z.string(), z.string()),
});

/** A plan as it was written for review. Secrets are in none. */
export type PlanFile = z.output<typeof schema>;

const signed = schema.extend({ sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex') });

/** The plan's text, with the hash of all of it. */
export function encodePlan(plan: PlanFile): string {
  return `${JSON.stringify({ ...plan, sha256: hashOf(plan) }, null, 2)}\n`;
}

/**
 * The plan in a file, as it was written. `PlanInvalid` (exit code 2) names file and field of what is none, is another
 * runbook's, or was changed since.
 */
export function decodePlan(text: string, file: string, runbook: string): PlanFile {
  const invalid = (why: string, hint = `write it anew: argus ${runbook} --plan-out FILE`) =>
    new ArgusError('PlanInvalid', `${file}: ${why}`, { exitCode: 2, hint });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid('not JSON');
  }
  const parsed = signed.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.map(String).join('.');
    throw invalid(`${where ? `${where}: ` : ''}${issue?.message ?? 'not a plan'}`);
  }
  const { sha256, ...plan } = parsed.data;
  if (plan.runbook !== runbook) throw invalid(`runbook: a plan of argus ${plan.runbook}`, `carry it out with that`);
  if (sha256 !== hashOf(plan)) throw invalid('sha256: the plan was changed after it was written');
  return plan;
}

/** What is not any more as the plan was made on, a sentence each. Pure. */
export function whatMoved(then: PlanBasis, now: PlanBasis): readonly string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])];
  return names
    .filter((name) => then[name] !== now[name])
    .map((name) => `${name}: was ${then[name] ?? 'nothing'}, is ${now[name] ?? 'nothing'}`);
}

/** That a plan can't be carried out any more (exit code 3), and why; undefined: nothing has moved. Pure. */
export function staleRefusal(plan: PlanFile, now: PlanBasis): ArgusError | undefined {
  const moved = whatMoved(plan.basis, now);
  if (moved.length === 0) return undefined;
  const made = new Date(plan.madeAtMs).toISOString();
  return new ArgusError('PlanStale', `the plan of ${made} does not hold any more: ${moved.join('; ')}`, {
    exitCode: 3,
    hint: `look at what is planned now, and write that: argus ${plan.runbook} --plan-out FILE`,
  });
}

/** The hash of a value as JSON, whatever the order of its keys. Pure. */
export function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(ordered(value)))
    .digest('hex');
}

function ordered(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return Object.fromEntries(entries.map(([k, v]) => [k, ordered(v)] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}
