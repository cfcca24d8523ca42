import { randomBytes } from 'node:crypto';
import { ArgusError } from '../../domain/errors.ts';
import { planRollback, rollBackNames, rollbackRunbook } from '../../runbooks/names/roll-back.ts';
import { readDnsBefore } from '../../state/dns-before.ts';
import { runId } from '../../state/journal.ts';
import { leaseMark } from '../../state/lease.ts';
import { agree } from '../agree.ts';
import type { CommandContext } from '../context.ts';
import { occasionOf } from '../occasion.ts';
import { renderEvent } from '../render-failover.ts';
import { rolesNow, withComposition } from '../session.ts';

interface Options {
  readonly run: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
  readonly againstRoles?: boolean;
}

/**
 * `argus dns rollback <run>`: puts back what a run changed at the DNS provider, as it was found then. Refused (3) where
 * somebody changed it since, and where the names would then lead to another region than the primary.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const { state, names, config } = composition;
    const { clock, signal, who, processes } = context;
    const plannedAtLease = await leaseMark(state, { signal });
    const roles = await rolesNow(context, composition);
    const before = await readDnsBefore(state, options.run, { signal });
    if (before === undefined) {
      throw new ArgusError('NoNamesChanged', `${options.run} changed no name, or is no run`, {
        exitCode: 2,
        hint: 'argus runs list',
      });
    }
    const plan = await planRollback({ before, names }, { signal });
    const changed = plan.flatMap(({ rollback }) => (rollback.kind === 'changed-since' ? [rollback.why] : []));
    const primary = config.regions[roles.primary]?.address;
    const away = plan.filter(({ rollback, content }) => rollback.kind === 'restore' && content !== primary);
    if (!context.json) {
      for (const { name, content, rollback } of plan) context.print(`${name}: ${words(rollback.kind)} ${content}`);
    }
    if (changed.length > 0)
      throw refused('NameChangedSince', changed.join('; '), 'set it by hand, knowing why it was changed');
    if (away.length > 0 && options.againstRoles !== true) {
      const message = `${away.map((a) => a.name).join(', ')} would lead away from ${roles.primary}, which is the primary`;
      throw refused(
        'RollbackAgainstRoles',
        message,
        'a failover or switchover moves roles and names together; --against-roles does this alone',
      );
    }
    if (options.dryRun) {
      if (context.json) context.print(JSON.stringify({ run: options.run, plan }));
      return 0;
    }
    if (!options.yes) await agree(context, roles.primary);
    const occasion = await occasionOf(context, options);
    const result = await rollBackNames({
      before,
      names,
      state,
      plannedAtLease,
      clock,
      run: runId(clock.now(), rollbackRunbook, randomBytes(2).toString('hex')),
      holder: who,
      by: who,
      processes,
      occasion,
      signal,
      onEvent: (event) => context.tell(renderEvent(event)),
      onWaiting: (message) => context.tell(message),
    });
    const { run: id, outcome, error } = result;
    if (context.json) context.print(JSON.stringify({ run: id, of: options.run, outcome, ...(error && { error }) }));
    else
      context.print(outcome === 'done' ? `put back; see argus runs show ${id}` : `${outcome}: ${error?.message ?? ''}`);
    return outcome === 'done' ? 0 : outcome === 'refused' ? 3 : 1;
  });
}

const words = (kind: 'already' | 'restore' | 'changed-since') =>
  kind === 'already' ? 'holds already' : kind === 'restore' ? 'goes back to' : 'was changed since; was';

const refused = (code: string, message: string, hint: string) => new ArgusError(code, message, { exitCode: 3, hint });
