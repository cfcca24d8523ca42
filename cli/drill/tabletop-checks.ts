import type { Roles } from '../../domain/roles.ts';
import type { TabletopCheck, TabletopFinding } from '../../drills/tabletop/steps.ts';
import type { Failure } from '../../state/journal.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { sidesOf } from '../session.ts';

type Job = Composition['config']['jobs'][number];

/**
 * What a tabletop looks at: what the commands `status`, `failover --dry-run`, `standby check`, `checkpoints verify`,
 * `mirror check` and `dns check` look at, and nothing of it changes anything.
 */
export function tabletopChecks(
  context: CommandContext,
  composition: Composition,
  roles: Roles,
  jobs: readonly Job[],
): readonly TabletopCheck[] {
  const { config } = composition;
  const { primary: from, standby: to } = roles;
  const names = jobs.map((j) => j.name).join(', ');
  const within = (signal: AbortSignal): CommandContext => ({ ...context, signal });
  const checks: readonly TabletopCheck[] = [
    {
      id: 'look-at-readiness',
      title: `Look at ${from}, ${to}, the mirror and the recovery points`,
      manual: ['argus status'],
      async look({ signal }) {
        const [{ collectStatus }, { assembleStatus }] = await Promise.all([
          import('../../health/collect-status.ts'),
          import('../../health/status.ts'),
        ]);
        const { names: dns, state, regions } = composition;
        const sources = { config, regions: [...regions.values()], names: dns, state, clock: context.clock, signal };
        const { blockers, warnings, healthy } = assembleStatus(await collectStatus(sources));
        return {
          findings: [...blockers.map(finding('blocker')), ...warnings.map(finding('warning'))],
          evidence: { healthy, blockers: blockers.map((b) => b.code), warnings: warnings.map((w) => w.code) },
        };
      },
    },
    {
      id: 'plan-failover',
      title: `Plan a failover from ${from} to ${to}`,
      manual: ['argus failover --dry-run'],
      look: ({ signal }) => lookAtPlan(within(signal), composition, roles),
    },
    {
      id: 'check-standby',
      title: `See what ${names} would need of ${to}'s Flink`,
      manual: ['argus standby check'],
      async look({ signal }) {
        const { lookAtStandby } = await import('../commands/standby-check.ts');
        const { region, verdict } = await lookAtStandby(within(signal), composition, jobs, false);
        const findings = verdict.findings.map(({ severity, code, message, hint, job }): TabletopFinding => {
          const about = job === undefined ? {} : { job };
          return { severity: severity === 'refused' ? 'blocker' : 'warning', code, message, hint, ...about };
        });
        return { findings, evidence: { region, verdict: verdict.verdict } };
      },
    },
    {
      id: 'verify-replica',
      title: `Look whether each file of the replica of ${names} is there, and is what was copied`,
      manual: ['argus checkpoints list', 'argus checkpoints verify'],
      look: ({ signal }) => lookAtReplica(within(signal), composition, roles, jobs),
    },
    ...(config.mirror.engine === 'argus'
      ? [
          {
            id: 'check-mirror',
            title: `See whether ${from}'s topics can be mirrored as they are`,
            manual: ['argus mirror check'],
            async look({ signal }: { readonly signal: AbortSignal }) {
              const { lookAtTopics } = await import('../commands/mirror-check.ts');
              const { verdicts, clusters } = await lookAtTopics(within(signal), composition);
              const findings = verdicts.flatMap(({ topic, reasons }) =>
                reasons.map(({ code, message, alternative }): TabletopFinding => {
                  const hint = alternative ? { hint: alternative } : {};
                  return { severity: 'blocker', code, message: `${topic}: ${message}`, ...hint };
                }),
              );
              const warned = clusters.warnings.map((message): TabletopFinding => {
                return { severity: 'warning', code: 'ClusterWarning', message };
              });
              return { findings: [...findings, ...warned], evidence: { topics: verdicts.length } };
            },
          },
        ]
      : []),
    {
      id: 'check-names',
      title: 'See whether the names would follow, and what that costs',
      manual: ['argus dns check'],
      async look({ signal }) {
        const [{ lookAtNames }, { checkNames, flipCosts }] = await Promise.all([
          import('../commands/dns-check.ts'),
          import('../../runbooks/names/check-names.ts'),
        ]);
        const view = await lookAtNames(within(signal), composition);
        const told = checkNames(view).filter((f) => f.severity !== 'advice');
        const findings = told.map(({ severity, code, message, hint }): TabletopFinding => {
          const more = hint === undefined ? {} : { hint };
          return { severity: severity === 'refused' ? 'blocker' : 'warning', code, message, ...more };
        });
        const costs = flipCosts(view.names).map(({ name, costSeconds }) => ({ name, costSeconds }));
        return { findings, evidence: { costs } };
      },
    },
  ];
  return checks;
}

const finding =
  (severity: TabletopFinding['severity']) =>
  ({ code, sentence }: { readonly code: string; readonly sentence: string }): TabletopFinding => ({
    severity,
    code,
    message: sentence,
  });

/** What `failover --dry-run` would say. That the primary is alive, and so not fenced yet, stands in no plan's way here. */
async function lookAtPlan(context: CommandContext, composition: Composition, roles: Roles) {
  const [{ prepareFailover, drainMsFor }, { failoverContext }, { lookBefore }, { evidence }, { suspendedRefusal }] =
    await Promise.all([
      import('../../runbooks/failover/run-failover.ts'),
      import('../failover-context.ts'),
      import('../session.ts'),
      import('../../runbooks/failover/failover-step.ts'),
      import('../../runbooks/failover/plan.ts'),
    ]);
  const { clock, signal } = context;
  const blocker = (failure: Failure): TabletopFinding => ({ ...failure, severity: 'blocker' });
  if (roles.replication === 'suspended')
    return { findings: [blocker(suspendedRefusal(roles))], evidence: { replication: 'suspended' } };
  const before = await lookBefore(context, composition, 'failover', roles);
  const sides = await sidesOf(context, composition, roles);
  const outage = { atMs: clock.now(), source: 'run-start' as const };
  const answers = before.primaryKafkaAnswers;
  const target = failoverContext(context, composition, {
    ...{ roles, ...sides, acceptUnfenced: false, acceptOutputGap: false, drainMs: drainMsFor(answers) },
    lossLimit: { outageAtMs: outage.atMs },
  });
  const { blockers, warnings, recoveryPoints, loss, budget, steps } = await prepareFailover(target, outage, { signal });
  return {
    findings: [
      ...before.errors.map(blocker),
      ...blockers.map(blocker),
      ...warnings.map((message): TabletopFinding => ({ severity: 'warning', code: 'PlanWarning', message })),
    ],
    evidence: evidence({ recoveryPoints, loss, budget, steps: steps.map(({ id, state }) => ({ id, state })) }),
  };
}

/** By existence, size and ETag of each file, and the hash of each `_metadata`: seconds, not the bytes themselves. */
async function lookAtReplica(context: CommandContext, composition: Composition, roles: Roles, jobs: readonly Job[]) {
  const { lightVerifier } = await import('../../replication/checkpoints/light-verify.ts');
  const { standby } = await sidesOf(context, composition, roles);
  const seen = await Promise.all(
    jobs.map(async ({ name: job }) => ({
      job,
      ...(await lightVerifier(standby.objects, job).look({ signal: context.signal })),
    })),
  );
  const findings = seen.flatMap(({ job, points, damaged, problems }): readonly TabletopFinding[] => [
    ...(points === 0
      ? [
          {
            severity: 'blocker' as const,
            code: 'NoCheckpoint',
            message: `${job} has no checkpoint on the replica`,
            job,
          },
        ]
      : []),
    ...damaged.map(({ point, problems: [first] }) => ({
      severity: 'blocker' as const,
      code: first?.code ?? 'ReplicaDamaged',
      message: `checkpoint ${point.manifest.checkpointId} of ${job}: ${first?.message ?? 'it is not what was copied'}`,
      job,
    })),
    ...problems.map(({ code, message }) => ({ severity: 'blocker' as const, code, message, job })),
  ]);
  return {
    findings,
    evidence: seen.map(({ job, points, files, damagedFiles }) => ({ job, points, files, damagedFiles })),
  };
}
