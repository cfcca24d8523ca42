import { z } from 'zod';
import { duration } from './config-values.ts';

/** A label's value, or a regular expression between slashes that all of it has to match. */
const labelPattern = z
  .string()
  .max(1_000)
  .refine((text) => {
    try {
      return labelExpression(text) !== undefined;
    } catch {
      return false;
    }
  }, 'a value, or a regular expression between slashes');

/** What a label has to match, as written in `match`. Pure; throws for a bad expression. */
export function labelExpression(pattern: string): RegExp {
  const inner = /^\/(.*)\/$/s.exec(pattern)?.[1];
  return inner === undefined
    ? new RegExp(`^${pattern.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`)
    : new RegExp(`^(?:${inner})$`);
}

/** `alerts`: what the daemon does when Alertmanager sends it an alert that fires. */
export const alertsSection = z
  .strictObject({
    /** The first rule all of whose labels match decides; an alert that none matches is only counted. */
    rules: z
      .array(
        z.strictObject({
          match: z.record(z.string().min(1), labelPattern),
          /**
           * `check`: look at both regions now, and answer with what is seen. `propose`: also prepare a failover, and tell
           * on-call how to begin it. `act`: ask automatic mode, which decides as it always does.
           */
          do: z.enum(['check', 'propose', 'act']),
        }),
      )
      .max(200)
      .default([]),
    /** A look that is younger is the answer to further alerts, too. */
    checkEvery: duration.prefault('5s'),
    /** A failover is prepared, and noted why none is begun, at most so often, whatever comes. */
    effectEvery: duration.prefault('1m'),
  })
  .prefault({});

/** `alerts` of argus.yaml; durations in ms. */
export type AlertsSettings = z.output<typeof alertsSection>;
export type AlertAction = AlertsSettings['rules'][number]['do'];
