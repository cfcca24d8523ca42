import { readFile, writeFile } from 'node:fs/promises';
import { ArgusError } from '../domain/errors.ts';
import { decodePlan, encodePlan, type PlanFile } from '../runbooks/plan/plan-file.ts';

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
