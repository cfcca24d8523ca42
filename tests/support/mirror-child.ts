// A mirror in a process of its own, for tests that kill it. Its one argument is the settings as JSON; each stop of a
// partition is told once on stderr.
import { wallClock } from '../../daemon/wall-clock.ts';
import { Mirror } from '../../replication/topics/mirror.ts';

const { producerId, ...settings } = JSON.parse(process.argv[2] ?? '{}');
const told = new Set<string>();
const mirror = new Mirror({
  ...settings,
  producer: { producerId: BigInt(producerId), producerEpoch: settings.producerEpoch },
  clock: wallClock,
  onStatus: ({ topics }) => {
    for (const [topic, { partitions }] of Object.entries(topics)) {
      for (const { partition, stop } of partitions) {
        const line = `${topic}-${partition} stopped, ${stop?.reason}: ${stop?.detail}`;
        if (stop && !told.has(line)) console.error(line);
        if (stop) told.add(line);
      }
    }
  },
});
await mirror.run(new AbortController().signal);
