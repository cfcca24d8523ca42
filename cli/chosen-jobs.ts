import { ArgusError } from '../domain/errors.ts';

/** The jobs that a command is about: the one that is named, else all. `JobUnknown` (exit code 2) names those there are. */
export function chosenJobs<J extends { readonly name: string }>(
  jobs: readonly J[],
  name: string | undefined,
): readonly J[] {
  if (name === undefined) return jobs;
  const chosen = jobs.filter((job) => job.name === name);
  if (chosen.length > 0) return chosen;
  throw new ArgusError('JobUnknown', `no job is called "${name}" in the configuration`, {
    exitCode: 2,
    hint: `there are: ${jobs.map((job) => job.name).join(', ')}`,
  });
}
