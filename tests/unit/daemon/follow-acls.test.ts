import { expect, test } from 'vitest';
import { followAcls } from '../../../daemon/follow-acls.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { Region } from '../../../regions/region.ts';
import { denyKafkaWrites, everybody } from '../../../runbooks/fencing/kafka-fencing.ts';
import { fakeFence } from '../../support/fake-fence.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

test('what keeps the writers out of the primary is not carried over to the standby', async () => {
  const state = memoryObjectStore('state');
  const [here, there] = [fakeFence(), fakeFence()];
  const source = { name: 'mumbai', kafka: here.acls, fence: here.fence } as unknown as Region;
  const target = { name: 'singapore', kafka: there.acls } as unknown as Region;
  const rule = { resourceType: 'topic', resourceName: 'events', patternType: 'literal', host: '*' } as const;
  const ofSomebody = { ...rule, principal: 'User:shop', operation: 'READ', permission: 'DENY' } as const;
  await here.acls.createAcls([ofSomebody]);
  const io = { signal: new AbortController().signal, check: () => undefined };
  await denyKafkaWrites({ region: source, state, topics: ['events'] }, everybody, { by: 'run', atMs: 1 }, io);
  expect(here.rules.length).toBeGreaterThan(2);

  const stop = new AbortController();
  const clock = virtualClock();
  const following = followAcls(
    { source, target, rolesEpoch: 1, topics: () => ['events'], groups: [], state, clock, log: quietLog() },
    stop.signal,
  );
  await expect.poll(() => there.rules).toEqual([ofSomebody]);
  stop.abort();
  await following;
});
