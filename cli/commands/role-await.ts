import { ArgusError, describeError } from '../../domain/errors.ts';
import { decideRole, type RoleVerdict } from '../../runbooks/fencing/decide-role.ts';
import { roleLook } from '../../runbooks/fencing/look-at-role.ts';
import type { CommandContext } from '../context.ts';
import { withState } from '../session.ts';

interface Options {
  readonly region: string;
  /** 0: for ever. */
  readonly timeout: number;
  readonly once?: boolean;
}

const lookEveryMs = 1_000;
/** How long one look may take. */
const patienceMs = 5_000;

type Seen =
  | RoleVerdict
  | { readonly kind: 'unknown'; readonly code: string; readonly why: string; readonly hint: string };

/**
 * `argus role await`: exit code 0 as soon as the state says that the region may run, and only then; 3 with the reason
 * after `--once` or the time-out. A state that can't be read, or is damaged, is waited for. Reads the state alone.
 */
export async function run(context: CommandContext, { region, timeout, once }: Options): Promise<number> {
  const { clock, signal } = context;
  return withState(context, async (state, { config }) => {
    if (config.regions[region] === undefined) {
      throw new ArgusError('RegionUnknown', `no region is called "${region}"`, {
        exitCode: 2,
        hint: `there are: ${Object.keys(config.regions).join(', ')}`,
      });
    }
    const look = roleLook(state);
    const endsAt = timeout > 0 ? clock.monotonic() + timeout : Number.POSITIVE_INFINITY;
    for (let said = ''; ; ) {
      const seen = await lookSoon(look, region, signal);
      if (seen.kind === 'granted') {
        const { kind: _, ...granted } = seen;
        context.print(context.json ? JSON.stringify({ region, ...granted }) : `${region} may run: ${seen.why}`);
        return 0;
      }
      if (once === true || clock.monotonic() >= endsAt) {
        throw new ArgusError(seen.code, `${region} may not run: ${seen.why}`, { exitCode: 3, hint: seen.hint });
      }
      if (seen.why !== said) context.tell(`${region} waits: ${seen.why}`);
      said = seen.why;
      await clock.sleep(Math.min(lookEveryMs, Math.max(0, endsAt - clock.monotonic())), signal);
    }
  });
}

async function lookSoon(look: ReturnType<typeof roleLook>, region: string, signal: AbortSignal): Promise<Seen> {
  try {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    return decideRole(await look(region, { signal: soon }));
  } catch (error) {
    signal.throwIfAborted();
    const known = error instanceof ArgusError ? error : undefined;
    return {
      kind: 'unknown',
      code: 'RoleUnknown',
      why: `the state can't be read: ${describeError(error)}`,
      hint: known?.hint ?? 'it is tried again until the state answers; see `argus config check --live`',
    };
  }
}
