import type { Config } from '../../domain/config.ts';
import type { Failure } from '../../state/journal.ts';
import type { Fault } from './catalogue.ts';
import type { FaultLook } from './look.ts';

/** What decides whether something may be broken now. */
export interface CalmView {
  readonly fault: Fault;
  readonly look: FaultLook;
  readonly automatic: Pick<Config['automatic'], 'mode' | 'observers'>;
  /** The primary has an API server of Kubernetes. */
  readonly kubernetes: boolean;
}

/** A verdict of this severity forbids to break anything besides. */
const grave = (severity: string) => severity === 'warning' || severity === 'critical';

/** Why nothing may be broken now: the first reason, or undefined when all is calm. Pure. */
export function whyNotCalm({ fault, look, automatic, kubernetes }: CalmView): Failure | undefined {
  if (fault.needs === 'kubernetes' && !kubernetes)
    return reason('NoKubernetes', 'the primary has no `kubernetes` in argus.yaml: there is no API server to freeze');
  if (fault.looksDead && automatic.mode === 'automatic')
    return reason('WouldFailOver', `automatic mode would fail over: ${fault.name} looks like a dead primary`, {
      hint: 'set automatic.mode to manual or advise for the time of the drill',
    });
  if (look.run?.state === 'running' || look.run?.state === 'interrupted')
    return reason('RunOpen', `${look.run.id} is ${look.run.state}`, { hint: 'let it end, or go on with it, before' });
  if (look.roles?.replication === 'suspended')
    return reason('ReplicationSuspended', 'replication is suspended since a promotion', { hint: 'fail back before' });
  const [verdict] = (look.standing?.verdicts ?? []).filter((v) => grave(v.severity));
  if (verdict) return reason('NotCalm', `${verdict.code} is told: ${verdict.sentence}`);
  const [bad] = look.bad;
  if (bad !== undefined) return reason('NotCalm', bad);
  if (fault.during.some((e) => e.sign.kind === 'verdict') && automatic.observers.length > 0 && !look.standing)
    return reason('NobodyTells', 'no daemon tells verdicts, so it could not be seen whether the right one comes', {
      hint: 'start `argus daemon`; `argus automatic status` shows what it tells',
    });
  const [without] = Object.entries(look.points).filter(([, atMs]) => atMs === undefined);
  if (without) return reason('NoRecoveryPoint', `${without[0]} could not be restored from the replica now`);
  if (!look.primaryEnds || !look.standbyEnds)
    return reason('NotCalm', 'the mirrored topics can’t be read on both sides');
  return undefined;
}

const reason = (code: string, message: string, { hint = 'wait until the platform is calm' } = {}): Failure => ({
  code,
  message,
  hint,
});
