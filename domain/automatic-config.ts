import { z } from 'zod';
import { duration } from './config-values.ts';

const observer = z.strictObject({
  /** As `argus observe --name` has it. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens'),
  /** The region in which it stands, or `outside` of both. */
  place: z.string().min(1),
});

/** Who watches, and what may be done without a person. */
export const automaticSection = z
  .strictObject({
    /**
     * `manual`: verdicts are told. `advise`: also a failover is prepared, and asked for. `automatic`: it is begun, when
     * everything that is asked below is so.
     */
    mode: z.enum(['manual', 'advise', 'automatic']).default('manual'),
    /** All who count: a majority of these, not of those who are heard, has to see the same. */
    observers: z.array(observer).default([]),
    /** How long the primary must be seen dead before anything is done: connections refused, nothing of it answers. */
    holdDown: duration.prefault('8s'),
    /** The same where there were only time-outs: longer than a link flaps. */
    unreachableHoldDown: duration.prefault('30s'),
    /** A report that is older says nothing, neither good nor bad; observers report each 3 s at least. */
    stale: duration.prefault('5s'),
    /** An answer that takes longer is a slow one. */
    slow: duration.prefault('1500ms'),
    hysteresis: z
      .strictObject({
        /** What must hold for so long before it is told as a verdict. */
        raise: duration.prefault('2s'),
        /** What must be over for so long before its verdict is withdrawn. */
        clear: duration.prefault('10s'),
      })
      .prefault({}),
    /** After a change of roles nothing is done by itself for so long, unless `argus automatic ack` says that it may. */
    antiFlap: duration.prefault('1h'),
    /** Begin also when nothing proves that the old primary takes no more writes: no guard, or one that can't be heard. */
    acceptUnfenced: z.boolean().default(false),
    /** Begin also when the primary was only never heard (time-outs): it may be alive on the other side of a cut. */
    acceptUnreachable: z.boolean().default(false),
    /** A person's word that `state` lies outside both regions, where its address doesn't show it. */
    stateIsOutside: z.boolean().default(false),
  })
  .prefault({});

/** `automatic` of argus.yaml; durations in ms. */
export type AutomaticSettings = z.output<typeof automaticSection>;
export type ObserverConfig = AutomaticSettings['observers'][number];

interface Gap {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What the schema alone can't tell of `automatic`. Pure. */
export function automaticGaps(automatic: AutomaticSettings, regions: readonly string[]): readonly Gap[] {
  const { mode, observers, holdDown, unreachableHoldDown, hysteresis } = automatic;
  const gaps: Gap[] = [];
  observers.forEach(({ name, place }, i) => {
    if (observers.findIndex((o) => o.name === name) !== i)
      gaps.push({ path: ['observers', i, 'name'], message: `two observers are called "${name}": each counts once` });
    if (place !== 'outside' && !regions.includes(place))
      gaps.push({ path: ['observers', i, 'place'], message: `"${place}" is no region: a region's name, or outside` });
  });
  if (holdDown < hysteresis.raise)
    gaps.push({ path: ['holdDown'], message: `holdDown must not be shorter than hysteresis.raise` });
  if (unreachableHoldDown < holdDown)
    gaps.push({ path: ['unreachableHoldDown'], message: 'unreachableHoldDown must not be shorter than holdDown' });
  if (mode !== 'automatic') return gaps;
  if (observers.length < 3)
    gaps.push({
      path: ['observers'],
      message: `mode: automatic needs three observers or more, so that a majority can be had; there are ${observers.length}`,
    });
  if (!observers.some((o) => o.place === 'outside'))
    gaps.push({ path: ['observers'], message: 'mode: automatic needs an observer outside both regions' });
  return gaps;
}
