import { readFileSync } from 'node:fs';
import { siblingEntry } from '../entry.ts';
import { hostPort, type LabInfo, names, type RegionName } from '../lab-info.ts';
import { answers } from './probes.ts';
import { type ReadyOptions, type StartedComponent, startComponent } from './process.ts';

/**
 * Starts the region's ingest service. It serves also while its Kafka doesn't. `behindRole`: only once Argus' state says
 * that the region may run; then it is ready, too, when it waits for that.
 */
export async function startIngest(
  info: LabInfo,
  region: RegionName,
  options: ReadyOptions,
  behindRole = false,
): Promise<StartedComponent> {
  const { ingest, kafka } = info.regions[region];
  const { host, port } = hostPort(ingest.direct);
  const started = startComponent(info, {
    component: `${region}/ingest`,
    command: process.execPath,
    args: [
      siblingEntry(import.meta.url, `../ingest/${behindRole ? 'ingest-role-process' : 'ingest-process'}`),
      ...['--host', host, '--port', String(port)],
      ...['--bootstrap', kafka.inside, '--topic', names.events.topic, '--region', region],
      ...(kafka.users ? ['--user', 'ingest'] : []),
    ],
    env: {
      ...(kafka.users && { KAFKA_PASSWORD: kafka.users.ingest }),
      ...(behindRole && { ...info.env, ARGUS_CONFIG: info.configPath, NO_COLOR: '1' }),
    },
  });
  const waits = () => behindRole && saidLast(started.logPath).includes(`${region} waits: `);
  await started.ready(async (signal) => waits() || (await answers(info, region, 'ingest', signal)), options);
  return started;
}

/** What a component said since its last start. */
function saidLast(logPath: string): string {
  const text = readFileSync(logPath, 'utf8');
  return text.slice(text.lastIndexOf('\n--- ') + 1);
}
