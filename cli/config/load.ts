import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { Config } from '../../domain/config.ts';
import { ArgusError } from '../../domain/errors.ts';
import { parseConfig } from './parse.ts';

/** A configuration and where it came from. */
export interface LoadedConfig {
  /** As the user named it, for messages. */
  readonly file: string;
  /** Absolute folder of the file: relative paths in it start here. */
  readonly folder: string;
  readonly config: Config;
  /** Of the file's bytes, in hex. */
  readonly sha256?: string;
}

/** The file to load: `--config`, else ARGUS_CONFIG, else `./argus.yaml`. */
export function configPath(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  return flag ?? (env.ARGUS_CONFIG || undefined) ?? 'argus.yaml';
}

/** Reads and validates a configuration. `ConfigMissing` or `ConfigError`, both exit code 2. Secrets stay references. */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const message =
      code === 'ENOENT'
        ? `no configuration at ${file}`
        : `the configuration ${file} can't be read (${code ?? 'error'})`;
    throw new ArgusError('ConfigMissing', message, {
      cause,
      exitCode: 2,
      hint: 'name it with --config FILE or ARGUS_CONFIG; docs/configuration.md has an example',
    });
  }
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { file, folder: dirname(resolve(file)), config: parseConfig(text, file), sha256 };
}

/** A path of the configuration as an absolute one. */
export function pathFrom(folder: string, path: string): string {
  return isAbsolute(path) ? path : resolve(folder, path);
}

/** The value behind `env:NAME` or `file:path`, without its last line break. `SecretMissing` names the reference only; exit code 2. */
export async function resolveSecret(reference: string, folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (reference.startsWith('env:')) {
    const name = reference.slice(4);
    const value = env[name];
    if (value) return value;
    throw new ArgusError('SecretMissing', `the secret ${reference} has no value: the variable ${name} is not set`, {
      exitCode: 2,
      hint: `export ${name}=… before the command, or point the reference to a file: file:/path`,
    });
  }
  const path = pathFrom(folder, reference.replace(/^file:/, ''));
  let value: string;
  try {
    value = (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new ArgusError('SecretMissing', `the secret ${reference} can't be read (${why})`, {
      exitCode: 2,
      hint: `put the value alone into ${path}, readable for this user`,
    });
  }
  if (value !== '') return value;
  throw new ArgusError('SecretMissing', `the secret ${reference} has no value: the file is empty`, {
    exitCode: 2,
    hint: `put the value alone into ${path}`,
  });
}
