import { hooksOf } from '../../runbooks/hooks/hooks-of.ts';
import type { CommandContext } from '../context.ts';
import { preflight, rolesNow, withComposition } from '../session.ts';
import { stepsOfRunbooks } from '../steps-of-runbooks.ts';

/** `argus config check [--live]` */
export async function run(context: CommandContext, options: { readonly live?: boolean }): Promise<number> {
  const { file, config } = await context.loadConfig();
  // A hook whose step nobody has would never be called.
  hooksOf(config.hooks, 'failover', await stepsOfRunbooks());
  if (!options.live) {
    const summary = {
      ok: true,
      file,
      regions: Object.keys(config.regions),
      topics: config.topics,
      jobs: config.jobs.map((j) => j.name),
    };
    if (context.json) context.print(JSON.stringify(summary));
    else
      context.print(
        `${file} is valid: regions ${summary.regions.join(', ')}; topics ${summary.topics.join(', ')}; jobs ${summary.jobs.join(', ')}`,
      );
    return 0;
  }
  return withComposition(context, async (composition) => {
    const verdict = await preflight(context, composition, 'config-check', await rolesNow(context, composition));
    if (context.json) context.print(JSON.stringify({ ok: true, file, warnings: verdict.warnings }));
    else if (verdict.warnings.length > 0) context.print(`${file} is valid; see the warnings`);
    else context.print(`${file} is valid, and everything that it names answers`);
    return 0;
  });
}
