import { describe, expect, test } from 'vitest';
import type { DnsRecord } from '../../../../regions/dns/dns-records.ts';
import type { StepIo } from '../../../../runbooks/engine/step.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { flipOf, tooManyChanges } from '../../../../runbooks/failover/flip.ts';
import { flipCommands } from '../../../../runbooks/failover/manual-names.ts';
import { flipNames } from '../../../../runbooks/failover/steps/flip-names.ts';
import { verifyNames } from '../../../../runbooks/failover/steps/verify-names.ts';
import { readDnsBefore } from '../../../../state/dns-before.ts';
import { config, newWorld } from './world.ts';

const words = { title: 't', manual: [] };
const record = (over: Partial<DnsRecord> = {}): DnsRecord => ({
  id: 'r1',
  name: 'ingest.argus.test',
  type: 'A',
  content: '127.0.1.1',
  ttlSeconds: 60,
  proxied: false,
  ...over,
});
const addresses = { primary: '127.0.1.1', standby: '127.0.2.1' };

function given(over: Partial<FailoverContext> = {}) {
  const world = newWorld();
  const context = { ...world.context, epoch: 2, ...over } as FailoverContext;
  const io: StepIo = { clock: world.clock, signal: new AbortController().signal, check() {}, progress() {} };
  return { world, context, io };
}

describe('the flip of a name', () => {
  test('is impossible where the provider would not follow it, with the reason', () => {
    const refuses = [{ content: addresses.standby, why: 'pool s is disabled' }];
    const flip = flipOf('ingest.argus.test', [record({ refuses })], addresses);
    expect(flip).toEqual({ kind: 'impossible', code: 'NameCantMove', why: 'pool s is disabled' });
  });

  test('is done already whatever the provider refuses', () => {
    const moved = record({ content: addresses.standby, refuses: [{ content: '*', why: 'alias' }] });
    expect(flipOf('ingest.argus.test', [moved], addresses)).toEqual({ kind: 'already' });
  });

  test('of more names than are allowed changes none, and what changes is kept first', async () => {
    expect(tooManyChanges(3, 3)).toBeUndefined();
    const none = given({ config: { ...config, dns: { ...config.dns, maxChanges: 0 } } });
    await expect(flipNames(words).act(none.context, {}, none.io)).rejects.toMatchObject({ code: 'DnsTooManyChanges' });
    expect(none.world.effects).toEqual([]);

    const { context, io, world } = given();
    await flipNames(words).act(context, {}, io);
    expect(world.effects).toEqual(['dns 127.0.2.1']);
    expect((await readDnsBefore(world.store, context.run))?.records).toEqual([record()]);
  });

  test('tells until when caches may keep the old answer, and which names only the provider can show', async () => {
    const { context, io, world } = given();
    await flipNames(words).act(context, {}, io);
    const verdict = await flipNames(words).verify(context, {}, io);
    const facts = { namesSettleAtMs: world.clock.now() + 60_000, proxiedNames: [] };
    expect(verdict).toMatchObject({ kind: 'done', facts });
    // Whose name servers take a change one after the other: caches may ask the last of them until then.
    const slow = { ...context, names: { ...context.names, records: { ...context.names.records, settlesMs: 40_000 } } };
    const later = await flipNames(words).verify(slow, {}, io);
    expect(later).toMatchObject({ facts: { namesSettleAtMs: world.clock.now() + 100_000 } });
  });
});

describe('the answers of the resolvers', () => {
  test('are not waited for where a name is proxied', async () => {
    const { context, io } = given();
    const facts = { proxiedNames: ['ingest.argus.test'], namesSettleAtMs: 0 };
    const verdict = await verifyNames(words).verify(context, facts, io);
    expect(verdict).toMatchObject({ kind: 'done', evidence: { seenOnlyAtTheProvider: ['ingest.argus.test'] } });
  });

  test('are waited for until the old TTL has passed, if that is wanted; the RTO is told from the first', async () => {
    const { context, io, world } = given({ config: { ...config, dns: { ...config.dns, awaitTtl: true } } });
    await flipNames(words).act(context, {}, io);
    const step = verifyNames(words);
    const firstMs = world.clock.now();
    const facts = { proxiedNames: [], namesSettleAtMs: firstMs + 60_000 };
    expect(await step.verify(context, facts, io)).toMatchObject({ kind: 'pending' });
    await world.clock.sleep(59_000);
    expect(await step.verify(context, facts, io)).toMatchObject({ kind: 'pending' });
    await world.clock.sleep(2_000);
    expect(await step.verify(context, facts, io)).toMatchObject({ kind: 'done', facts: { namesAnswerAtMs: firstMs } });
  });
});

test('the commands by hand change a load balancer once, and Route 53 by aws', () => {
  const lb = { name: 'lb.argus.test', pools: { mumbai: 'm', singapore: 's' } };
  const cloudflare = { zone: 'argus.test', token: 'env:TOKEN', account: 'a', loadBalancers: [lb] };
  const pools = { defaultPools: ['m', 's'], fallbackPool: 'm' };
  const shown = ['m', 's'].map((pool) => ({ id: `b1/${pool}`, name: lb.name, pools }));
  const byCurl = flipCommands({ ...config, dns: { ...config.dns, cloudflare } }, 'singapore', shown);
  expect(byCurl).toHaveLength(1);
  expect(byCurl[0]).toContain(`/load_balancers/b1"`);
  expect(byCurl[0]).toContain('{"default_pools":["s"],"fallback_pool":"s"}');
  const route53 = { zone: 'argus.test', hostedZoneId: 'Z1' };
  const byAws = flipCommands({ ...config, dns: { ...config.dns, cloudflare: undefined, route53 } }, 'singapore', [
    record({ ttlSeconds: 30 }),
  ]);
  expect(byAws).toEqual([
    `aws route53 change-resource-record-sets --hosted-zone-id Z1 --change-batch '{"Changes":[{"Action":"UPSERT","ResourceRecordSet":{"Name":"ingest.argus.test","Type":"A","TTL":30,"ResourceRecords":[{"Value":"127.0.2.1"}]}}]}'`,
  ]);
});
