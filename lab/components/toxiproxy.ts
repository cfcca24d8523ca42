import { hostPort, type LabInfo } from '../lab-info.ts';
import { type ReadyOptions, type StartedComponent, startComponent } from './process.ts';

/** Starts the network between the places, with every link open. */
export async function startToxiproxy(info: LabInfo, options: ReadyOptions): Promise<StartedComponent> {
  const { host, port } = hostPort(info.toxiproxy);
  const started = startComponent(info, {
    component: 'outside/toxiproxy',
    command: info.artifacts.toxiproxy,
    args: ['-host', host, '-port', String(port)],
    env: { LOG_LEVEL: 'error' },
  });
  await started.ready(async (signal) => (await fetch(`${info.toxiproxy}/version`, { signal })).ok, {
    ...options,
    everyMs: 30,
  });
  return started;
}
