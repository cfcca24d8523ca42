import { siblingEntry } from '../entry.ts';
import { hostPort, type LabInfo, names, type RegionName } from '../lab-info.ts';
import { answers } from './probes.ts';
import { type ReadyOptions, type StartedComponent, startComponent } from './process.ts';

/** Starts the region's ingest service. It serves also while its Kafka doesn't. */
export async function startIngest(info: LabInfo, region: RegionName, options: ReadyOptions): Promise<StartedComponent> {
  const { ingest, kafka } = info.regions[region];
  const { host, port } = hostPort(ingest.direct);
  const started = startComponent(info, {
    component: `${region}/ingest`,
    command: process.execPath,
    args: [
      siblingEntry(import.meta.url, '../ingest/ingest-process'),
      ...['--host', host, '--port', String(port)],
      ...['--bootstrap', kafka.inside, '--topic', names.events.topic, '--region', region],
      ...(kafka.users ? ['--user', 'ingest'] : []),
    ],
    ...(kafka.users && { env: { KAFKA_PASSWORD: kafka.users.ingest } }),
  });
  await started.ready((signal) => answers(info, region, 'ingest', signal), options);
  return started;
}
