import { ArgusError } from '../../domain/errors.ts';
import type { Roles } from '../../domain/roles.ts';
import { drillRunbook } from '../../drills/isolated/run-isolated-drill.ts';
import type { RunEvent } from '../../runbooks/engine/run.ts';
import { noSuchRun, runOver, stopRun } from '../../runbooks/engine/take-back.ts';
import { abortFailback } from '../../runbooks/failback/abort-failback.ts';
import { abortFailover } from '../../runbooks/failover/abort-failover.ts';
import { directionOf } from '../../runbooks/failover/direction.ts';
import { abortSwitchover } from '../../runbooks/switchover/abort-switchover.ts';
import { stateOfRun } from '../../state/drills.ts';
import { readRun } from '../../state/journal.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { failbackContext } from '../failback-context.ts';
import { failoverContext } from '../failover-context.ts';
import { occasionOf } from '../occasion.ts';
import { renderEvent } from '../render-failover.ts';
import { rolesNow, sidesOf, withComposition, withState } from '../session.ts';
import { switchoverContext } from '../switchover-context.ts';

export interface RunsAbortOptions {
  readonly id: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

/** What came of it. */
interface Aborted {
  /** The run that was to be aborted. */
  readonly run: string;
  /** The run that took it back; the same when it did so itself. */
  readonly by: string;
  readonly compensated: readonly string[];
  readonly notTakenBack: readonly string[];
  /** It had begun to stop the primary's jobs: they stay stopped. */
  readonly primaryJobsStopped: boolean;
}

/**
 * `argus runs abort <id>`: a live run is asked to stop, a dead one's lease is taken; what it did is taken back, up to
 * the point of no return, past which it is refused. Exit code 4 when something could not be taken back.
 */
export async function run(context: CommandContext, options: RunsAbortOptions): Promise<number> {
  const { clock, signal, who } = context;
  const occasion = await occasionOf(context, options);
  const stopped = await withState(context, async (state) => {
    const store = stateOfRun(state, options.id);
    const record = foldRun(await readRun(store, options.id, { signal }));
    if (record === undefined) throw noSuchRun(options.id);
    if (isLeftOver(record)) return { record, ended: 'dead' as const };
    if (record.status !== 'running') throw runOver(record);
    context.tell(`asking ${record.by} to stop ${record.run}`);
    const { reason } = occasion;
    const request = { by: who, atMs: clock.now(), ...(reason === undefined ? {} : { reason }) };
    return { record, ended: await stopRun(store, options.id, request, clock, { signal }) };
  });
  const { record, ended } = stopped;
  // What a dead drill made is told by its names: whoever cleans up needs nothing else of it.
  if (ended === 'dead' && record.runbook === drillRunbook) {
    return (await import('./drill-clean.ts')).run(context, {});
  }
  const aborted = ended === 'dead' ? await takeBack(context, record, occasion) : stoppedItself(ended);
  context.print(context.json ? JSON.stringify(aborted) : render(aborted));
  return aborted.notTakenBack.length > 0 ? 4 : 0;
}

function stoppedItself(record: RunRecord): Aborted {
  return {
    run: record.run,
    by: record.run,
    compensated: record.steps.filter((s) => s.status === 'compensated').map((s) => s.id),
    notTakenBack: record.notTakenBack ?? [],
    primaryJobsStopped: stoppedJobs([record]),
  };
}

async function takeBack(context: CommandContext, record: RunRecord, occasion: object): Promise<Aborted> {
  const runbook = (['failover', 'switchover', 'failback'] as const).find((name) => name === record.runbook);
  if (runbook === undefined) {
    throw new ArgusError(
      'AbortNotOffered',
      `${record.run} is dead, and a dead ${record.runbook} is only gone on with`,
      {
        exitCode: 3,
        hint: 'run its command again: it looks at what is done; then stop it, if need be',
      },
    );
  }
  return withComposition(context, async (composition) => {
    const { state } = composition;
    const { signal, who } = context;
    const { roles, open } = await directionOf(state, await rolesNow(context, composition), { signal, runbook });
    const dead = open.map((r) => r.run);
    const newest = dead.at(-1);
    if (!dead.includes(record.run) || newest === undefined) throw runOver(record);
    if (newest !== record.run) {
      throw new ArgusError('RunGoneOn', `${newest} has gone on with ${record.run}`, {
        exitCode: 3,
        hint: `argus runs abort ${newest}`,
      });
    }
    context.tell(`${record.by} is not at it any more: taking back what ${dead.join(', ')} did`);
    const how = {
      dead,
      holder: who,
      processes: context.processes,
      occasion,
      signal,
      onEvent: (event: RunEvent) => context.tell(renderEvent(event)),
      onWaiting: (message: string) => context.tell(message),
    };
    const result = await abortOf(runbook, context, composition, roles, how);
    const after = foldRun(await readRun(state, result.run, { signal }));
    if (after?.status !== 'interrupted') {
      const { code = 'AbortFailed', message = 'it was not taken back', hint } = result.error ?? {};
      throw new ArgusError(code, message, { exitCode: 4, ...(hint === undefined ? {} : { hint }) });
    }
    return {
      run: record.run,
      by: result.run,
      compensated: result.compensated,
      notTakenBack: after.notTakenBack ?? [],
      primaryJobsStopped: stoppedJobs(open),
    };
  });
}

/** How each runbook's dead runs are aborted; its point of no return may be passed. */
async function abortOf(
  runbook: 'failover' | 'switchover' | 'failback',
  context: CommandContext,
  composition: Composition,
  roles: Roles,
  how: Omit<Parameters<typeof abortFailover>[0], 'context'>,
) {
  const sides = await sidesOf(context, composition, roles);
  switch (runbook) {
    case 'failover': {
      const asked = { roles, ...sides, acceptUnfenced: false, acceptOutputGap: false, drainMs: 0 };
      return abortFailover({ context: failoverContext(context, composition, asked), ...how });
    }
    case 'switchover':
      return abortSwitchover({ context: await switchoverContext(context, composition, roles, false), ...how });
    case 'failback': {
      const asked = { roles, ...sides, acceptUnfenced: false, keepIn: 'topic' } as const;
      return abortFailback({ context: failbackContext(context, composition, asked), ...how });
    }
    default:
      return runbook satisfies never;
  }
}

/** It ended, and could not take back all that it should have. */
const isLeftOver = ({ status, notTakenBack = [], pastReturn }: RunRecord) =>
  status !== 'running' && notTakenBack.length > 0 && pastReturn !== true;

const stoppedJobs = (runs: readonly RunRecord[]): boolean =>
  runs.some(({ steps }) => steps.some((s) => s.id === 'stop-primary-jobs' && s.status !== 'already'));

function render({ run, by, compensated, notTakenBack, primaryJobsStopped }: Aborted): string {
  const lines = [
    `${run} was aborted${by === run ? '' : ` by ${by}`}`,
    `taken back: ${compensated.length === 0 ? 'there was nothing to take back' : compensated.join(', ')}`,
  ];
  if (notTakenBack.length > 0) {
    lines.push(`NOT taken back: ${notTakenBack.join(', ')}; \`argus runs show ${by}\` says why`);
  }
  if (primaryJobsStopped) {
    lines.push("the primary's jobs may be stopped: look, and start them from their newest checkpoint");
  }
  return lines.join('\n');
}
