import { z } from 'zod';
import { duration, secretRef, serviceUrl } from './config-values.ts';

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable');
const header = z.string().regex(/^[A-Za-z0-9-]+$/, 'the name of a header');

/** What may be called outside of Argus: a program, or a URL. */
export const callFields = {
  /** A program and its arguments; no shell looks at them. */
  run: z.array(z.string().min(1)).min(1).optional(),
  /** Variables of the program, besides those that Argus sets. */
  env: z.record(variable, secretRef).optional(),
  http: z
    .strictObject({
      /** A reference, where the URL itself is secret. */
      url: z.union([secretRef, serviceUrl]),
      method: z.enum(['POST', 'PUT', 'GET']).default('POST'),
      headers: z.record(header, z.string()).optional(),
      secretHeaders: z.record(header, secretRef).optional(),
    })
    .optional(),
} as const;

const callShape = z.object(callFields);
/** A program or a URL, and what it needs. */
export type CallConfig = z.output<typeof callShape>;

/** What is wrong with a call, as the key and why. Pure. */
export function callGaps({ run, env, http }: CallConfig): readonly (readonly ['run' | 'env', string])[] {
  return [
    ...((run === undefined) === (http === undefined) ? [['run', 'either run or http is needed'] as const] : []),
    ...(env !== undefined && run === undefined ? [['env', 'env is for run; http has secretHeaders'] as const] : []),
  ];
}

const hook = z
  .strictObject({
    /** In plans, in the journal and in reports. */
    name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens'),
    /** Only in this runbook; absent: in each that has the step. */
    runbook: z.enum(['failover', 'switchover', 'failback']).optional(),
    /** The id of a step, as `--dry-run --json` has it. */
    step: z.string().min(1),
    when: z.enum(['before', 'after']),
    ...callFields,
    timeout: duration.prefault('30s'),
    /** Its failure stops the run, as long as that can be taken back. */
    required: z.boolean().default(false),
  })
  .superRefine((hook, ctx) => {
    for (const [key, message] of callGaps(hook)) ctx.addIssue({ code: 'custom', path: [key], message });
  });

/** What a runbook calls beside its own steps. */
export const hooksSection = z
  .array(hook)
  .default([])
  .superRefine((hooks, ctx) => {
    hooks.forEach(({ name }, i) => {
      if (hooks.findIndex((h) => h.name === name) < i)
        ctx.addIssue({ code: 'custom', path: [i, 'name'], message: `two hooks are called "${name}"` });
    });
  });

export type HookConfig = z.output<typeof hook>;

/** Whom to call: told in the runbooks for people. */
export const contactsSection = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      /** What for: `on call`, `owner of counts`. */
      role: z.string().min(1).optional(),
      /** Telephone, channel, address. */
      reach: z.string().min(1),
    }),
  )
  .default([]);
