// Argus' mirror as a process of its own, until SIGTERM. Its one argument is the settings as JSON.
import { wallClock } from '../../daemon/wall-clock.ts';
import { Mirror } from '../../replication/topics/mirror.ts';

const { producerId, producerEpoch, topics, ...settings } = JSON.parse(process.argv[2] ?? '{}');
const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
process.on('disconnect', () => stopping.abort());
let told = '';
const mirror = new Mirror({
  ...settings,
  partitions: topics.flatMap(({ topic, partitions }: { readonly topic: string; readonly partitions: number }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  ),
  producer: { producerId: BigInt(producerId), producerEpoch },
  clock: wallClock,
  onStatus(status) {
    const stops = Object.entries(status.topics).flatMap(([topic, { partitions }]) =>
      partitions.flatMap((p) => (p.stop ? [`${topic}-${p.partition}: ${p.stop.reason}: ${p.stop.detail}`] : [])),
    );
    const trouble = [status.source.error, status.target.error, ...stops].filter(Boolean).join('\n');
    if (trouble !== told && trouble !== '') console.error(trouble);
    told = trouble;
  },
});
await mirror.run(stopping.signal);
process.exit(0);
