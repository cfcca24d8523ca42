import type { Config } from '../domain/config.ts';
import { ArgusError } from '../domain/errors.ts';
import type { CallConfig, HookConfig } from '../domain/hooks-config.ts';
import type { Hook } from '../runbooks/hooks/hook-steps.ts';
import { hooksOf } from '../runbooks/hooks/hooks-of.ts';
import { resolveSecret } from './config/load.ts';
import { stepsOfRunbooks } from './steps-of-runbooks.ts';

/** The hooks of a runbook, every secret resolved: one that lacks ends the command before it does anything (exit code 2). */
export async function openHooks(
  config: Config,
  runbook: 'failover' | 'switchover' | 'failback',
  { folder, env }: { readonly folder: string; readonly env: NodeJS.ProcessEnv },
): Promise<readonly Hook[]> {
  const wanted = hooksOf(config.hooks, runbook, await stepsOfRunbooks());
  return Promise.all(wanted.map((hook) => openHook(hook, folder, (ref) => resolveSecret(ref, folder, env))));
}

async function openHook(hook: HookConfig, folder: string, secret: Secret): Promise<Hook> {
  const { name, step, when, required, timeout: timeoutMs } = hook;
  return { name, step, when, required, timeoutMs, ...(await openCall(`hooks: ${name}`, hook, folder, secret)) };
}

type Secret = (ref: string) => Promise<string>;

/** A program or a URL of the configuration, every secret resolved. `where` it stands there is told of a wrong one. */
export async function openCall(
  where: string,
  { run, env: variables, http, timeout: timeoutMs }: CallConfig & { readonly timeout: number },
  folder: string,
  secret: Secret,
): Promise<Pick<Hook, 'manual' | 'call'>> {
  const { callProgram, callUrl } = await import('../runbooks/hooks/call-hook.ts');
  const resolved = async (refs: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(
      await Promise.all(Object.entries(refs).map(async ([k, ref]) => [k, await secret(ref)] as const)),
    );
  if (run !== undefined) {
    const env = await resolved(variables);
    return {
      manual: run.map(quote).join(' '),
      call: (about, signal) => callProgram({ command: run, folder, env, timeoutMs }, about, signal),
    };
  }
  const { url: place = '', method = 'POST', headers = {}, secretHeaders } = http ?? {};
  const isSecret = /^(env|file):/.test(place);
  const url = isSecret ? await secret(place) : place;
  if (!URL.canParse(url)) {
    throw new ArgusError('ConfigError', `${where}: what ${place} holds is no URL`, { exitCode: 2 });
  }
  const hidden = await resolved(secretHeaders);
  const secrets = [...Object.values(hidden), ...(isSecret ? [url] : [])];
  const shown = Object.keys(hidden).map((header) => ` -H ${quote(`${header}: …`)}`);
  return {
    manual: `curl -fX ${method}${shown.join('')} ${quote(isSecret ? `<${place}>` : url)}`,
    call: (about, signal) =>
      callUrl({ url, method, headers: { ...headers, ...hidden }, timeoutMs, secrets }, about, signal),
  };
}

/** A word for a POSIX shell. */
const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
