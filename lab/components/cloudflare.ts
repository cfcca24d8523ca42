import { readFileSync } from 'node:fs';
import { siblingEntry } from '../entry.ts';
import { hostPort, type LabInfo, names } from '../lab-info.ts';
import { type ReadyOptions, type StartedComponent, startComponent } from './process.ts';

/** Starts the stand-in for Cloudflare: the API and the DNS server of the lab's zone. The ingest's name points to the primary. */
export async function startCloudflare(info: LabInfo, options: ReadyOptions): Promise<StartedComponent> {
  const started = startComponent(info, {
    component: 'outside/cloudflare',
    command: process.execPath,
    args: [
      siblingEntry(import.meta.url, '../cloudflare/cloudflare-process'),
      ...['--api-port', String(hostPort(info.dns.apiUrl).port), '--dns-port', String(hostPort(info.dns.server).port)],
      ...['--zone', info.dns.zone, '--token', info.dns.token],
      ...['--record', `${info.ingestName}=${info.regions[names.primary].address}`],
    ],
  });
  await started.ready(async () => readFileSync(started.logPath, 'utf8').includes('"ready":true'), options);
  return started;
}
