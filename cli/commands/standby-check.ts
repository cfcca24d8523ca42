import { ArgusError } from '../../domain/errors.ts';
import { readable } from '../../health/gather-preflight.ts';
import { gatherStandbyKubernetes } from '../../health/gather-standby.ts';
import {
  type Finding,
  judgeStandbyKubernetes,
  judgeStandbySession,
  type Looked,
  standbyVerdict,
} from '../../health/standby-check.ts';
import type { Region } from '../../regions/region.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { Composition } from '../compose.ts';
import { pathFrom } from '../config/load.ts';
import type { CommandContext } from '../context.ts';
import { kubernetesJobs } from '../open-flink.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

/**
 * `argus standby check`: what a failover would need of the standby's Flink; changes nothing. Exit code 3 when it would
 * be refused, 1 when the standby can't be asked.
 */
export async function run(context: CommandContext, options: { readonly job?: string }): Promise<number> {
  return withComposition(context, async (composition) => {
    const { config } = composition;
    const jobs = chosenJobs(config.jobs, options.job);
    const { primary, standby } = await sidesOf(context, composition, await rolesNow(context, composition));
    const session = config.regions[standby.name]?.flink.kubernetes === undefined || standby.kubernetes === undefined;
    const findings = session
      ? await ofSession(context, composition, jobs, standby)
      : await ofKubernetes(context, composition, jobs, primary, standby);
    const verdict = standbyVerdict(findings);
    context.signal.throwIfAborted();
    const names = jobs.map(({ name }) => name);
    if (context.json) context.print(JSON.stringify({ region: standby.name, jobs: names, ...verdict }));
    else {
      for (const finding of verdict.findings) for (const line of lines(finding)) context.print(line);
      context.print(`${standby.name} for ${names.join(', ')}: ${verdict.verdict.replaceAll('-', ' ')}`);
    }
    return verdict.verdict === 'refused' ? 3 : 0;
  });
}

async function ofKubernetes(
  { signal }: CommandContext,
  { config, folder }: Composition,
  jobs: readonly Composition['config']['jobs'][number][],
  primary: Region,
  standby: Region,
): Promise<readonly Finding[]> {
  const { kubernetes } = standby;
  if (kubernetes === undefined) return [];
  const there = config.regions[primary.name]?.flink.kubernetes ? primary.kubernetes : undefined;
  const facts = await gatherStandbyKubernetes({
    kubernetes,
    jobs: kubernetesJobs(jobs, standby.name, folder),
    serviceProxy: config.regions[standby.name]?.flink.kubernetes?.rest === undefined,
    ...(there && { primary: { kubernetes: there, jobs: kubernetesJobs(jobs, primary.name, folder) } }),
    signal,
  });
  return judgeStandbyKubernetes(facts);
}

async function ofSession(
  { signal }: CommandContext,
  { folder }: Composition,
  jobs: readonly Composition['config']['jobs'][number][],
  standby: Region,
): Promise<readonly Finding[]> {
  const slots = await standby.flink.slots({ signal });
  const submitted = jobs.flatMap(({ name, submit }) => (submit ? [{ name, submit }] : []));
  const seen = submitted.map(async ({ name, submit }) => ({
    job: name,
    parallelism: submit.parallelism,
    jar: await jarOf(pathFrom(folder, submit.jar)),
  }));
  return judgeStandbySession({ slots, jobs: await Promise.all(seen) });
}

async function jarOf(path: string): Promise<Looked<true>> {
  try {
    await readable(path);
    return { seen: true };
  } catch (error) {
    if (!(error instanceof ArgusError)) throw error;
    const { code, message, hint } = error;
    return { unseen: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}

function lines({ job, severity, code, message, hint }: Finding): readonly string[] {
  const about = job === undefined ? '' : `${job}: `;
  return [`${severity === 'refused' ? 'refused' : 'warning'}: ${about}${code}: ${message}`, `  ${hint}`];
}
