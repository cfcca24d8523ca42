import { join } from 'node:path';
import { ArgusError } from '../../domain/errors.ts';
import { candidates, unpack } from './debian-packages.ts';
import { ensureExtraPart } from './extra-part.ts';
import type { Part, SetupEvent } from './part.ts';

/** Prometheus and Alertmanager with their tools, as Debian has them. */
export interface AlertingTools {
  readonly prometheus: string;
  readonly promtool: string;
  readonly alertmanager: string;
  readonly amtool: string;
}

const packages = ['prometheus', 'prometheus-alertmanager'];
const hint =
  "Prometheus and Alertmanager come from Debian's packages, unpacked and not installed: `apt-get update`, then again";

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
    amtool: bin('amtool'),
  };
}

function alertingPart(files: readonly string[]): Part {
  const versionOf = (name: string) => {
    const found = files.map((f) => new RegExp(`^${name}_([0-9.]+)`).exec(f)?.[1]).find((v) => v !== undefined);
    if (found === undefined) throw new ArgusError('SetupFailed', `apt knows no package ${name}`, { hint });
    return found;
  };
  return {
    name: 'alerting-tools',
    version: `prometheus-${versionOf('prometheus')}-alertmanager-${versionOf('prometheus-alertmanager')}`,
    sources: [],
    async build(target, context) {
      context.detail?.('Prometheus and Alertmanager of Debian');
      await unpack(packages, join(target, 'root'), hint, context);
    },
  };
}
