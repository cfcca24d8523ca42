import { readFile, writeFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ArgusError } from '../domain/errors.ts';
import { decodePlan, encodePlan, type PlanBasis, type PlanFile } from '../runbooks/plan/plan-file.ts';

/** A reviewed plan from its file; exit code 2 for what can't be read or is none. */
export async function readPlanFile(file: string, runbook: string): Promise<PlanFile> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new ArgusError('PlanMissing', `the plan ${file} can't be read (${cause.code ?? 'error'})`, {
      cause,
      exitCode: 2,
      hint: `write one: argus ${runbook} --plan-out ${file}`,
    });
  });
  return decodePlan(text, file, runbook);
}

/** What the command was asked for when the plan was made; another field is `PlanInvalid`, exit code 2. Pure. */
export function reviewedOptions<S extends z.ZodType>(plan: PlanFile, file: string, options: S): z.output<S> {
  const parsed = options.safeParse(plan.options);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = ['options', ...(issue?.path ?? [])].map(String).join('.');
  throw new ArgusError('PlanInvalid', `${file}: ${field}: ${issue?.message ?? 'not known'}`, {
    exitCode: 2,
    hint: `write it anew: argus ${plan.runbook} --plan-out FILE`,
  });
}

/** A plan as its file has it. Pure. */
export function planFileOf(
  plan: Pick<PlanFile, 'from' | 'to' | 'pointOfNoReturn'> & {
    readonly steps: readonly { readonly id: string; readonly title: string; readonly manual: readonly string[] }[];
    readonly basis: PlanBasis;
  },
  about: Pick<PlanFile, 'runbook' | 'madeAtMs' | 'madeBy' | 'options' | 'recoveryPoints'>,
): PlanFile {
  return {
    argusPlan: 1,
    ...about,
    from: plan.from,
    to: plan.to,
    steps: plan.steps.map(({ id, title, manual }) => ({ id, title, manual: [...manual] })),
    pointOfNoReturn: plan.pointOfNoReturn,
    basis: plan.basis,
  };
}

/** Writes a plan for review; never over a file. Exit code 2 when it can't be written. */
export async function writePlanFile(file: string, plan: PlanFile): Promise<void> {
  await writeFile(file, encodePlan(plan), { flag: 'wx', mode: 0o600 }).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EEXIST' ? 'it is there already' : (cause.code ?? 'error');
    throw new ArgusError('PlanNotWritten', `the plan can't be written to ${file}: ${why}`, {
      cause,
      exitCode: 2,
      hint: 'name a file that is not there yet, in a folder in which you may write',
    });
  });
}
