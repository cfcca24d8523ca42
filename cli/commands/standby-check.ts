import { ArgusError } from '../../domain/errors.ts';
import { readable } from '../../health/gather-preflight.ts';
import { gatherStandbyKubernetes } from '../../health/gather-standby.ts';
import {
  type Finding,
  judgeStandbyKubernetes,
  judgeStandbySession,
  type Looked,
  type StandbyJob,
  type StandbyVerdict,
  standbyVerdict,
} from '../../health/standby-check.ts';
import { type Warmth, warmthOf } from '../../health/standby-warmth.ts';
import type { Region } from '../../regions/region.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { Composition } from '../compose.ts';
import { pathFrom } from '../config/load.ts';
import type { CommandContext } from '../context.ts';
import { kubernetesJobs, kubernetesSessionJobs } from '../open-flink.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

/**
 * `argus standby check`: what a failover would need of the standby's Flink; changes nothing but, with `--probe-pod`, for
 * a pod that is deleted again. Exit code 3 when it would be refused, 1 when the standby can't be asked.
 */
export async function run(
  context: CommandContext,
  options: { readonly job?: string; readonly probePod?: boolean },
): Promise<number> {
  return withComposition(context, async (composition) => {
    const jobs = chosenJobs(composition.config.jobs, options.job);
    const { region, verdict, warmth } = await lookAtStandby(context, composition, jobs, options.probePod === true);
    const names = jobs.map(({ name }) => name);
    if (context.json) context.print(JSON.stringify({ region, jobs: names, ...verdict, warmth }));
    else {
      for (const { job, wanted, is, what } of warmth) if (wanted === 'warm') context.print(`${job}: ${is}: ${what}`);
      for (const finding of verdict.findings) for (const line of lines(finding)) context.print(line);
      context.print(`${region} for ${names.join(', ')}: ${verdict.verdict.replaceAll('-', ' ')}`);
    }
    return verdict.verdict === 'refused' ? 3 : 0;
  });
}

/** What a failover would need of the standby's Flink, and whether it has it. Throws when the standby can't be asked. */
export async function lookAtStandby(
  context: CommandContext,
  composition: Composition,
  jobs: readonly Composition['config']['jobs'][number][],
  probes: boolean,
): Promise<{ readonly region: string; readonly verdict: StandbyVerdict; readonly warmth: readonly Warmth[] }> {
  const { config } = composition;
  const { primary, standby } = await sidesOf(context, composition, await rolesNow(context, composition));
  const session = config.regions[standby.name]?.flink.kubernetes === undefined || standby.kubernetes === undefined;
  if (session && probes) throw noPods(standby.name);
  const { findings, warmth } = session
    ? { findings: await ofSession(context, composition, jobs, standby), warmth: [] }
    : await ofKubernetes(context, composition, jobs, primary, standby, probes);
  context.signal.throwIfAborted();
  return { region: standby.name, verdict: standbyVerdict(findings), warmth };
}

async function ofKubernetes(
  context: CommandContext,
  { config, folder }: Composition,
  jobs: readonly Composition['config']['jobs'][number][],
  primary: Region,
  standby: Region,
  probes: boolean,
): Promise<{ readonly findings: readonly Finding[]; readonly warmth: readonly Warmth[] }> {
  const { signal } = context;
  const { kubernetes } = standby;
  if (kubernetes === undefined) return { findings: [], warmth: [] };
  const there = config.regions[primary.name]?.flink.kubernetes ? primary.kubernetes : undefined;
  const facts = await gatherStandbyKubernetes({
    kubernetes,
    jobs: kubernetesJobs(jobs, standby.name, folder),
    sessionJobs: kubernetesSessionJobs(jobs, standby.name, folder),
    flink: standby.flink,
    warm: new Set(jobs.flatMap(({ name, kubernetes: of }) => (of?.[standby.name]?.standby === 'warm' ? [name] : []))),
    serviceProxy: config.regions[standby.name]?.flink.kubernetes?.rest === undefined,
    ...(there && {
      primary: {
        kubernetes: there,
        jobs: kubernetesJobs(jobs, primary.name, folder),
        sessionJobs: kubernetesSessionJobs(jobs, primary.name, folder),
      },
    }),
    signal,
  });
  const findings = judgeStandbyKubernetes(facts);
  const warmth = warmthOf(facts);
  if (!probes) return { findings, warmth };
  const probed = await probeFindings(context, kubernetes, facts.jobs, config, standby.name);
  return { findings: [...findings, ...probed], warmth };
}

/** What a pod of each job can reach; one after the other, since the namespace may have little room. */
async function probeFindings(
  context: CommandContext,
  kubernetes: NonNullable<Region['kubernetes']>,
  jobs: readonly StandbyJob[],
  config: Composition['config'],
  region: string,
): Promise<readonly Finding[]> {
  const [{ judgeProbe, probeTargets }, { runProbePod }] = await Promise.all([
    import('../../health/probe-pod.ts'),
    import('../../health/run-probe-pod.ts'),
  ]);
  const { kafka, objects } = config.regions[region] as Composition['config']['regions'][string];
  const findings: Finding[] = [];
  for (const { job, namespace, object } of jobs) {
    // Why there is no object is told already.
    if ('unseen' in object || object.seen === undefined) continue;
    const targets = probeTargets(object.seen, { name: region, ...kafka, ...objects });
    context.tell(
      `${job}: a pod in ${namespace} tries ${targets.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
    );
    const onLeft = (message: string) => context.tell(`warning: ${message}`);
    const of = { kubernetes, namespace, object: object.seen, targets, signal: context.signal, onLeft };
    findings.push(...judgeProbe({ job, namespace, probed: await runProbePod(of) }));
  }
  return findings;
}

function noPods(region: string): ArgusError {
  return new ArgusError('UsageError', `--probe-pod: ${region} has a session cluster, whose pods Argus doesn't make`, {
    hint: 'leave --probe-pod out, or configure flink.kubernetes for that region',
    exitCode: 2,
  });
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
