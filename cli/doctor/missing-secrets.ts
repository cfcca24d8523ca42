import type { Config } from '../../domain/config.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { DoctorFinding } from '../../health/doctor/finding.ts';
import { resolveSecret } from '../config/load.ts';

/** Every reference of the configuration that leads to nothing, at once: a command that needs it ends at the first. */
export async function missingSecrets(
  config: Config,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly DoctorFinding[]> {
  const { state, guard, ...rest } = config;
  const places = [state, guard?.witness].filter((place) => typeof place !== 'string');
  const references = [...new Set(referencesIn([rest, places]))];
  const found = references.map(async (reference): Promise<readonly DoctorFinding[]> => {
    try {
      await resolveSecret(reference, folder, env);
      return [];
    } catch (error) {
      const fix = error instanceof ArgusError ? error.hint : undefined;
      const message = describeError(error);
      return [{ check: 'secrets', code: 'SecretMissing', severity: 'error', message, fix: fix ?? 'give it a value' }];
    }
  });
  return (await Promise.all(found)).flat();
}

/** What stands under these is text of others: it may begin like a reference and is none. */
const plainKeys: ReadonlySet<string> = new Set([
  ...['args', 'run', 'headers', 'jar', 'manifest'],
  ...['clientSettings', 'body', 'outputHolds', 'match', 'reach'],
]);

function referencesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => (plainKeys.has(key) ? [] : referencesIn(part)));
}
