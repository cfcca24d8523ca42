import { namesThatFollow } from '../../../domain/dns-config.ts';
import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { ArgusError } from '../../../domain/errors.ts';
import type { DnsRecord } from '../../../regions/dns/dns-records.ts';
import { type DnsBefore, writeDnsBefore } from '../../../state/dns-before.ts';
import type { StepIo } from '../../engine/step.ts';
import type { FailoverContext } from '../context.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { type Flip, flipOf, tooManyChanges } from '../flip.ts';

interface FlipOfName {
  readonly name: string;
  readonly records: readonly DnsRecord[];
  readonly flip: Flip;
}

/** Points the names to the standby at the provider. That resolvers answer so is a step of its own. */
export function flipNames(words: StepWords): FailoverStep {
  return {
    id: 'flip-names',
    ...words,
    waitsFor: 'the DNS provider',
    timeoutMs: 60_000,
    pointOfNoReturn: true,
    onFailure: { kind: 'stop', hint: 'change the records by hand (see the step), then run `argus failover` again' },
    async observe(context, _facts, io) {
      const flips = await flipsOf(context, io);
      if (flips.some(({ flip }) => flip.kind !== 'already')) return { kind: 'todo' };
      return done(context, flips, io);
    },
    async act(context, _facts, io) {
      const records = (await flipsOf(context, io)).flatMap(({ flip }) => {
        if (flip.kind === 'impossible') {
          throw new ArgusError(flip.code, flip.why, { hint: 'set the record to an address of a region first' });
        }
        return flip.kind === 'already' ? [] : flip.records;
      });
      const tooMany = tooManyChanges(records.length, context.config.dns.maxChanges);
      if (tooMany !== undefined) {
        throw new ArgusError('DnsTooManyChanges', tooMany, { hint: 'raise dns.maxChanges if that is meant' });
      }
      await keepBefore(context, records, io);
      await eachAtOnce(records, atOnce, async (record) => {
        io.check();
        const { signal } = io;
        await context.names.records.setContent(record.id, context.standby.address, { signal, urgent: true });
      });
    },
    async verify(context, _facts, io) {
      const flips = await flipsOf(context, io);
      const open = flips.find(({ flip }) => flip.kind !== 'already');
      return open ? { kind: 'pending', waitingFor: `${open.name} at the provider` } : done(context, flips, io);
    },
  };
}

async function flipsOf(context: FailoverContext, { signal }: StepIo): Promise<readonly FlipOfName[]> {
  const addresses = { primary: context.primary.address, standby: context.standby.address };
  return Promise.all(
    namesThatFollow(context.config.dns).map(async ({ name, type }) => {
      const records = await context.names.records.find(name, type, { signal, urgent: true });
      return { name, records, flip: flipOf(name, records, addresses) };
    }),
  );
}

/** What is about to change, for `argus dns rollback`. */
async function keepBefore(context: FailoverContext, records: readonly DnsRecord[], io: StepIo): Promise<void> {
  if (records.length === 0) return;
  io.check();
  const { run, state, standby } = context;
  await writeDnsBefore(state, { run, atMs: io.clock.now(), to: standby.address, records: kept(records) }, io);
}

/** Only what the state keeps of a record. */
const kept = (records: readonly DnsRecord[]): DnsBefore['records'] =>
  records.map(({ id, name, type, content, ttlSeconds, proxied, pools }) => ({
    id,
    name,
    type,
    content,
    ttlSeconds,
    proxied,
    ...(pools && { pools: { defaultPools: [...pools.defaultPools], fallbackPool: pools.fallbackPool } }),
  }));

function done(context: FailoverContext, flips: readonly FlipOfName[], io: StepIo) {
  const records = flips.flatMap((f) => f.records);
  const proxiedNames = [...new Set(records.filter((r) => r.proxied).map((r) => r.name))];
  const direct = records.filter((r) => !r.proxied).map((r) => r.ttlSeconds);
  // The flip was at most now: caches that kept the old answer, right before the last name server let it go, have let it
  // go by then.
  const settlesMs = direct.length === 0 ? 0 : (context.names.records.settlesMs ?? 0);
  const namesSettleAtMs = io.clock.now() + settlesMs + Math.max(0, ...direct) * 1_000;
  return {
    kind: 'done',
    evidence: evidence({ names: flips.map((f) => f.name), address: context.standby.address }),
    facts: { namesSettleAtMs, proxiedNames },
  } as const;
}
