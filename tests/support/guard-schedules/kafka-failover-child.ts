// A failover of Kafka alone, as a process: the fence of `argus failover` (with the guard's claim), then the promotion. For
// regions without Flink. Argument: the configuration. Prints the report as JSON; exit code 0 when it is done.
import { randomBytes } from 'node:crypto';
import { compose } from '../../../cli/compose.ts';
import { loadConfig } from '../../../cli/config/load.ts';
import { failoverContext } from '../../../cli/failover-context.ts';
import { regionOf } from '../../../daemon/region-of.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { runUnderLease } from '../../../runbooks/engine/under-lease.ts';
import type { FailoverContext } from '../../../runbooks/failover/context.ts';
import { directionOf } from '../../../runbooks/failover/direction.ts';
import { evidence, type FailoverStep } from '../../../runbooks/failover/failover-step.ts';
import { failoverReport } from '../../../runbooks/failover/report.ts';
import { endTransactions } from '../../../runbooks/failover/steps/end-transactions.ts';
import { fencePrimary } from '../../../runbooks/failover/steps/fence-primary.ts';
import { freezeMirror } from '../../../runbooks/failover/steps/freeze-mirror.ts';
import { promote } from '../../../runbooks/failover/steps/promote.ts';
import { releaseAcls } from '../../../runbooks/failover/steps/release-acls.ts';
import { sealMirror } from '../../../runbooks/failover/steps/seal-mirror.ts';
import { readRoles } from '../../../state/roles.ts';
import { readSighting } from '../../../state/sightings.ts';

const composition = await compose(await loadConfig(process.argv[2] ?? ''), process.env);
const { config, state, regions } = composition;
const inForce = await readRoles(state);
if (inForce === undefined) throw new Error('the daemon has written no roles yet');
const { roles, resumes } = await directionOf(state, inForce);
const who = `operator ${process.pid}-${randomBytes(2).toString('hex')}`;
const sighting = await readSighting(state, roles.primary);
const sides = { primary: regionOf(regions, roles.primary), standby: regionOf(regions, roles.standby), sighting };
const asked = { roles, ...sides, acceptUnfenced: false, acceptOutputGap: false, drainMs: 3_000 };
const made = failoverContext({ clock: wallClock, who }, composition, asked);
const context: Omit<FailoverContext, 'epoch'> = { ...made, jobs: [] };
const words = (title: string) => ({ title, manual: [] });
const steps: readonly FailoverStep[] = [
  fencePrimary(words('fence'), composition.guard?.leaseMs),
  freezeMirror(words('freeze'), asked.drainMs),
  sealMirror(words('seal')),
  releaseAcls(words('release')),
  endTransactions(words('end transactions')),
  promote(words('promote')),
];
const outage = { atMs: wallClock.now(), source: 'run-start' } as const;
const view = { from: roles.primary, to: roles.standby, outage, topics: config.topics, jobs: [], sighting };
const result = await runUnderLease({
  state,
  clock: wallClock,
  run: context.run,
  runbook: 'failover',
  holder: who,
  by: who,
  steps,
  context: (epoch) => ({ ...context, epoch, ...(resumes === undefined ? {} : { resumes: resumes.run }) }),
  details: evidence({ from: view.from, to: view.to, rolesEpoch: roles.epoch, outageAtMs: outage.atMs }),
  resumeHint: 'again',
  report: (r) => evidence(failoverReport({ ...view, result: r })),
});
console.log(JSON.stringify(failoverReport({ ...view, result })));
process.exit(result.outcome === 'done' ? 0 : 1);
