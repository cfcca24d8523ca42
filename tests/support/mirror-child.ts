// A mirror in a process of its own, for tests that kill it. Its one argument is the settings as JSON.
import { wallClock } from '../../daemon/wall-clock.ts';
import { Mirror } from '../../replication/topics/mirror.ts';

const { producerId, ...settings } = JSON.parse(process.argv[2] ?? '{}');
const mirror = new Mirror({
  ...settings,
  producer: { producerId: BigInt(producerId), producerEpoch: settings.producerEpoch },
  clock: wallClock,
});
await mirror.run(new AbortController().signal);
