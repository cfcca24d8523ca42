import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { ArgusError } from '../../../domain/errors.ts';
import type { StepIo } from '../../engine/step.ts';
import type { FailoverContext } from '../context.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { type Flip, flipOf } from '../flip.ts';

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
      return done(context, flips);
    },
    async act(context, _facts, io) {
      const records = (await flipsOf(context, io)).flatMap(({ flip }) => {
        if (flip.kind === 'impossible') {
          throw new ArgusError(flip.code, flip.why, { hint: 'set the record to an address of a region first' });
        }
        return flip.kind === 'already' ? [] : flip.records;
      });
      await eachAtOnce(records, atOnce, async (record) => {
        io.check();
        await context.names.records.setContent(record.id, context.standby.address, io);
      });
    },
    async verify(context, _facts, io) {
      const flips = await flipsOf(context, io);
      const open = flips.find(({ flip }) => flip.kind !== 'already');
      return open ? { kind: 'pending', waitingFor: `${open.name} at the provider` } : done(context, flips);
    },
  };
}

async function flipsOf(
  context: FailoverContext,
  io: StepIo,
): Promise<readonly { readonly name: string; readonly flip: Flip }[]> {
  const addresses = { primary: context.primary.address, standby: context.standby.address };
  return Promise.all(
    context.config.dns.records.map(async ({ name, type }) => ({
      name,
      flip: flipOf(name, await context.names.records.find(name, type, io), addresses),
    })),
  );
}

const done = (context: FailoverContext, flips: readonly { readonly name: string }[]) =>
  ({
    kind: 'done',
    evidence: evidence({ names: flips.map((f) => f.name), address: context.standby.address }),
  }) as const;
