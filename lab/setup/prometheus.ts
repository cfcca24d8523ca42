import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { candidates, unpack } from './debian-packages.ts';
import { ensureExtraPart } from './extra-part.ts';
import type { Part, SetupEvent } from './part.ts';

/** Prometheus and Alertmanager with their tools, as Debian has them. */
export interface AlertingTools {
  readonly prometheus: string;
  readonly promtool: string;
  readonly alertmanager: string;
  /** Alertmanager's working directory: its templates are there. */
  readonly alertmanagerFolder: string;
  readonly amtool: string;
}

const packages = ['prometheus', 'prometheus-alertmanager'];
const hint =
  "Prometheus and Alertmanager come from Debian's packages, unpacked and not installed: `apt-get update`, then again";
/** Where Debian's Alertmanager looks for its own templates, whatever is configured. */
const templatesFolder = '/usr/share/prometheus/alertmanager';
// Goes up when what `build` makes of the packages changes.
const layout = 2;

/** Why this machine can have none: it has no apt, or apt doesn't know them. Undefined: it can. */
export async function alertingToolsMissing(signal: AbortSignal): Promise<string | undefined> {
  try {
    versionsOf(await candidates(packages, hint, { signal }));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return describeError(error).split('\n')[0];
  }
}

/** In the lab's cache, fetched through apt when they are missing; nothing is installed. */
export async function ensureAlertingTools(
  signal: AbortSignal,
  progress: (event: SetupEvent) => void = () => undefined,
): Promise<AlertingTools> {
  const folder = await ensureExtraPart(alertingPart(await candidates(packages, hint, { signal })), signal, progress);
  const bin = (name: string) => join(folder, 'root', 'usr', 'bin', name);
  return {
    prometheus: bin('prometheus'),
    promtool: bin('promtool'),
    alertmanager: bin('prometheus-alertmanager'),
    alertmanagerFolder: join(folder, 'root', templatesFolder),
    amtool: bin('amtool'),
  };
}

function alertingPart(files: readonly string[]): Part {
  return {
    name: 'alerting-tools',
    version: `${versionsOf(files).join('-')}-${layout}`,
    sources: [],
    async build(target, context) {
      context.detail?.('Prometheus and Alertmanager of Debian');
      const root = join(target, 'root');
      await unpack(packages, root, hint, context);
      await findTemplatesHere(join(root, 'usr', 'bin', 'prometheus-alertmanager'));
    },
  };
}

function versionsOf(files: readonly string[]): readonly string[] {
  return packages.map((name) => {
    const found = files.map((f) => new RegExp(`^${name}_([0-9.]+)`).exec(f)?.[1]).find((v) => v !== undefined);
    if (found === undefined) throw new ArgusError('SetupFailed', `apt knows no package ${name}`, { hint });
    return `${name}-${found}`;
  });
}

/**
 * An Alertmanager that is not installed finds no templates in the folder that Debian compiled in, and ends. In the copy
 * its name is replaced by one of the same length, which is the working directory.
 */
async function findTemplatesHere(program: string): Promise<void> {
  const bytes = await readFile(program);
  const here = './'.repeat(templatesFolder.length / 2);
  let at = bytes.indexOf(templatesFolder);
  if (at < 0 || here.length !== templatesFolder.length)
    throw new ArgusError('SetupFailed', 'the package of Alertmanager is not as expected: it names no templates', {
      hint,
    });
  for (; at >= 0; at = bytes.indexOf(templatesFolder, at)) bytes.write(here, at, 'latin1');
  await writeFile(program, bytes);
}
