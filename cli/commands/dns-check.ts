import { describeError } from '../../domain/errors.ts';
import { nodeResolver } from '../../regions/dns/node-resolver.ts';
import {
  checkNames,
  type FlipCost,
  flipCosts,
  type NameFinding,
  type NamesView,
} from '../../runbooks/names/check-names.ts';
import { gatherNames } from '../../runbooks/names/gather-names.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

/**
 * `argus dns check`: whether the names would follow a failover, and what that would cost. Reads only, but for
 * `--try-edit`, which writes to each record what it holds already. Exit code 3 when a flip would be refused, 1 when the
 * provider can't be asked.
 */
export async function run(context: CommandContext, options: { readonly tryEdit?: boolean }): Promise<number> {
  return withComposition(context, async (composition) => {
    const view = await lookAtNames(context, composition);
    const findings = [...checkNames(view), ...(options.tryEdit ? await tryEdits(context, composition, view) : [])];
    const costs = flipCosts(view.names);
    const has = (severity: NameFinding['severity']) => findings.some((f) => f.severity === severity);
    const verdict = has('refused')
      ? 'refused'
      : has('unknown')
        ? 'unknown'
        : has('warning')
          ? 'ready-with-warnings'
          : 'ready';
    if (context.json) context.print(JSON.stringify({ verdict, findings, costs }));
    else {
      for (const cost of costs) context.print(costLine(cost));
      for (const f of findings) context.print(`${f.severity} ${f.code}: ${f.message}${f.hint ? `\n  ${f.hint}` : ''}`);
      context.print(`names: ${verdict.replaceAll('-', ' ')}`);
    }
    return verdict === 'refused' ? 3 : verdict === 'unknown' ? 1 : 0;
  });
}

/** All that can be seen of the names now. */
export async function lookAtNames(context: CommandContext, composition: Composition): Promise<NamesView> {
  const { config, names } = composition;
  const { clock, signal } = context;
  const { primary, standby } = await sidesOf(context, composition, await rolesNow(context, composition));
  return gatherNames({ config, names, primary, standby, nowMs: clock.now(), resolver: nodeResolver, signal });
}

/** Whether the credentials may change what would have to change. */
async function tryEdits(
  { signal }: CommandContext,
  { names }: Composition,
  view: NamesView,
): Promise<readonly NameFinding[]> {
  const found: NameFinding[] = [];
  for (const { name, records } of view.names) {
    const [record] = records.kind === 'known' ? records.value : [];
    if (record === undefined) continue;
    try {
      await names.records.restore?.(record, { signal });
    } catch (error) {
      signal.throwIfAborted();
      found.push({ severity: 'refused', code: 'NameNotEditable', message: `${name}: ${describeError(error)}` });
    }
  }
  return found;
}

const costLine = ({ name, proxied, costSeconds }: FlipCost) =>
  proxied
    ? `${name} is proxied: a flip takes about ${costSeconds} s to reach the provider's edge`
    : `${name}: a flip takes up to ${costSeconds} s to reach every client`;
