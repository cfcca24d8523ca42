import type { Begun } from '../../drills/switchover/position.ts';
import { positionOf } from '../../drills/switchover/position.ts';
import { readLeg } from '../../drills/switchover/read-legs.ts';
import type { SwitchoverDrillContext } from '../../drills/switchover/steps.ts';
import { refusal, rolesChanged } from '../../runbooks/engine/failures.ts';
import { type Direction, directionOf } from '../../runbooks/failover/direction.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { followReturn } from '../follow-return.ts';
import { rolesNow } from '../session.ts';
import { untilUnblocked } from '../switch-back.ts';
import { carryOutSwitchOver, planSwitchOver } from '../switch-over.ts';

/** Which switchover is due now. */
export async function directionNow(
  context: CommandContext,
  composition: Composition,
  signal: AbortSignal,
): Promise<Direction> {
  const inForce = await rolesNow({ ...context, signal }, composition);
  return directionOf(composition.state, inForce, { signal, runbook: 'switchover' });
}

/** The existing switchover, both ways, for a drill. Each is planned anew, and refused by whatever blocks it for a minute. */
export function joinSwitchovers(
  context: CommandContext,
  composition: Composition,
  { begun, run, stayMs }: { readonly begun: Begun; readonly run: string; readonly stayMs: number | undefined },
): SwitchoverDrillContext {
  const { state, config, regions } = composition;
  const { screen: _, ...lines } = context;
  const first = new Map<string, number>();
  return {
    begun,
    stayMs,
    position: async (signal) => positionOf(begun, await directionNow(context, composition, signal)),
    leg: (rolesEpoch, signal) => readLeg(state, rolesEpoch, { signal }),
    async move(which, { signal, progress }) {
      const plain: CommandContext = { ...lines, signal, interactive: false };
      const to = which === 'there' ? begun.to : begun.from;
      const { roles, resumes } = await directionNow(plain, composition, signal);
      if (roles.standby !== to) throw refusal(rolesChanged(roles));
      if (which === 'back' && resumes === undefined) {
        progress(`until ${begun.from} follows`);
        await followReturn(plain, composition, roles);
      }
      const prepared = await untilUnblocked(plain, () => planSwitchOver(plain, composition, {}));
      if (prepared.plan.to !== to) throw refusal(rolesChanged(prepared.target.roles));
      const reason = `${which === 'there' ? 'there' : 'back'}, for the drill ${run}`;
      const report = await carryOutSwitchOver(plain, prepared, { yes: true, reason });
      if (report.outcome === 'done') return undefined;
      const { error } = report;
      return {
        code: error?.code ?? 'SwitchoverNotDone',
        message: `${report.run}: ${error?.message ?? report.outcome}`,
      };
    },
    async waitsFor(_since, signal) {
      const there = regions.get(begun.to);
      if (there === undefined) return `${begun.to} is not configured`;
      const jobs = await there.flink.list({ signal });
      for (const { name } of config.jobs) {
        const job = jobs.find((j) => j.name === name && j.state === 'RUNNING');
        if (job === undefined) return `${name} to run on ${begun.to}`;
        const newest = (await there.flink.checkpoints(job.id, { signal })).latestCompleted?.id;
        const before = first.get(name);
        if (before === undefined) first.set(name, newest ?? -1);
        if (newest === undefined || newest <= (before ?? newest)) return `a checkpoint of ${name} on ${begun.to}`;
      }
      const ingress = config.probes.ingress[begun.to];
      if (ingress === undefined) return undefined;
      const { probeIngress } = await import('../../health/probes/ingress.ts');
      const answer = await probeIngress(ingress, { clock: context.clock, deadlineMs: 5_000, signal });
      return answer.status === 'ok' ? undefined : `the ingress of ${begun.to}`;
    },
  };
}
