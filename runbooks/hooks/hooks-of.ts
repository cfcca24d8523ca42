import { ArgusError } from '../../domain/errors.ts';
import type { HookConfig } from '../../domain/hooks-config.ts';

type Named = Pick<HookConfig, 'name' | 'runbook' | 'step'>;

/**
 * The hooks that a runbook calls. A hook whose step no runbook has, or not the one that it names, is `HookStepUnknown`
 * (exit code 2): it would never be called. Pure.
 */
export function hooksOf<H extends Named>(
  hooks: readonly H[],
  runbook: string,
  steps: Readonly<Record<string, readonly string[]>>,
): readonly H[] {
  hooks.forEach((hook, i) => {
    const where = hook.runbook === undefined ? Object.keys(steps) : [hook.runbook];
    if (where.some((name) => steps[name]?.includes(hook.step))) return;
    const known = where.map((name) => `${name}: ${steps[name]?.join(', ') ?? 'no steps'}`).join('; ');
    throw new ArgusError('HookStepUnknown', `hooks[${i}].step: ${hook.name} names the step "${hook.step}"`, {
      exitCode: 2,
      hint: `the steps are: ${known}`,
    });
  });
  return hooks.filter((h) => (h.runbook ?? runbook) === runbook && steps[runbook]?.includes(h.step) === true);
}
