import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { siblingEntry } from '../entry.ts';
import type { LabInfo, ObserverPlace } from '../lab-info.ts';
import { type ReadyOptions, type StartedComponent, startComponent } from './process.ts';
import { startStore } from './versitygw.ts';

/** What the lab calls an observer's process. */
export const observerComponent = ({ place }: Pick<ObserverPlace, 'place'>): string => `${place}/observer`;

/** Starts one observer at its place; ready when the state has a report of it. */
export async function startObserver(
  info: LabInfo,
  observer: ObserverPlace,
  options: ReadyOptions,
): Promise<StartedComponent> {
  const main = siblingEntry(import.meta.url, '../../cli/main');
  const started = startComponent(info, {
    component: observerComponent(observer),
    command: process.execPath,
    args: [main, '--config', observer.configPath, 'observe', '--name', observer.name],
    env: info.env,
  });
  // A bucket is a folder, and an object a plain file.
  const report = join(info.dir, 'outside', 'objects', 'buckets', 'argus-state', 'lab', 'observers', observer.name);
  await started.ready(async () => existsSync(report), { ...options, everyMs: 100 });
  return started;
}

/** Starts the store outside both regions, which has the state. */
export async function startOutsideStore(info: LabInfo, options: ReadyOptions): Promise<StartedComponent | undefined> {
  return info.observers && startStore(info, 'outside', info.observers.objects, options);
}
