import { connect } from 'node:net';
import { type FlinkPlace, hostPort, type LabInfo, type RegionName } from '../lab-info.ts';
import { askKafka } from './kafka-probe.ts';

/** The processes of a region. */
export const components = ['kafka', 'objects', 'jobmanager', 'taskmanager', 'ingest'] as const;
/** Those of a region's drills, where they have a place. */
export const drillComponents = ['drill-jobmanager', 'drill-taskmanager'] as const;
export type ComponentName = (typeof components)[number] | (typeof drillComponents)[number];

/** Whether a component serves: an answer of its own protocol, not only an open port. False as well when it is late. */
export async function answers(
  info: LabInfo,
  region: RegionName,
  component: ComponentName,
  signal: AbortSignal,
): Promise<boolean> {
  const r = info.regions[region];
  try {
    switch (component) {
      case 'kafka':
        return await askKafka(r.kafka.inside, signal);
      case 'objects':
        return (await fetch(`${r.objects.endpoint}/healthz`, { signal })).ok;
      case 'jobmanager':
        return (await fetch(`${r.flink.rest}/overview`, { signal })).ok;
      case 'taskmanager':
        return await hasTaskManager(r.address, r.flink, signal);
      case 'drill-jobmanager':
        return (await fetch(`${r.drill?.flink?.rest}/overview`, { signal })).ok;
      case 'drill-taskmanager':
        return r.drill?.flink !== undefined && (await hasTaskManager(r.address, r.drill.flink, signal));
      case 'ingest':
        return (await fetch(`${r.ingest.direct}/healthz`, { signal })).ok;
    }
  } catch {
    // Refused, reset or late: it doesn't serve.
    return false;
  }
}

async function hasTaskManager(address: string, { rest, ports }: FlinkPlace, signal: AbortSignal): Promise<boolean> {
  if (!(await portOpen(`${address}:${ports.taskRpc}`, signal))) return false;
  const response = await fetch(`${rest}/overview`, { signal });
  return ((await response.json()) as { taskmanagers: number }).taskmanagers > 0;
}

/** Whether something listens at `host:port`. */
export function portOpen(address: string, signal: AbortSignal): Promise<boolean> {
  const { host, port } = hostPort(address);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (open: boolean): void => {
      signal.removeEventListener('abort', late);
      socket.destroy();
      resolve(open);
    };
    const late = (): void => end(false);
    signal.addEventListener('abort', late, { once: true });
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
