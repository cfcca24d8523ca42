import { seenKey } from '../../domain/observation.ts';
import type { Sight } from '../../health/sight.ts';
import type { CommandContext } from '../context.ts';
import { observerTasks } from '../observer.ts';
import { withComposition } from '../session.ts';

/** `argus probe`: one look at everything that an observer looks at, now. Exit code 1 when anything isn't ok. */
export async function run(context: CommandContext, options: { readonly region?: string }): Promise<number> {
  return withComposition(context, async (composition) => {
    const { tasks, close } = observerTasks(context, composition, 'probe');
    try {
      const looks = await Promise.all(tasks.map((task) => task.look({ signal: context.signal })));
      context.signal.throwIfAborted();
      const wanted = (s: Sight) => options.region === undefined || s.region === options.region;
      const sights = looks
        .flat()
        .filter(wanted)
        .sort((a, b) => (seenKey(a) < seenKey(b) ? -1 : 1));
      context.print(context.json ? JSON.stringify({ atMs: context.clock.now(), probes: sights }) : render(sights));
      return sights.every((s) => s.status === 'ok') ? 0 : 1;
    } finally {
      close();
    }
  });
}

function render(sights: readonly Sight[]): string {
  const what = ({ probe, region, subject }: Sight) => [probe, region, subject].filter((p) => p !== undefined).join(' ');
  const wide = Math.max(...sights.map((s) => what(s).length));
  return sights
    .map((s) => {
      const head = `${what(s).padEnd(wide)}  ${s.status.padEnd(7)}  ${String(s.latencyMs).padStart(5)} ms`;
      return s.reason === undefined ? head : `${head}  ${s.reason}`;
    })
    .join('\n');
}
