import { z } from 'zod';
import { secretRef } from './config-values.ts';

/** One secret, or several while one is exchanged for another. */
const tokens = z
  .union([secretRef, z.array(secretRef)])
  .default([])
  .transform((value) => (typeof value === 'string' ? [value] : value));

/** `daemon`: where the daemon's pages are served, and who may ask for what. */
export const daemonSection = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1'),
    port: z.int().min(0).max(65_535).default(9_464),
    /** Which of `automatic.observers` this daemon is, by its own looks; absent: none. */
    observer: z.string().min(1).optional(),
    /** From which level on the daemon says things; `--verbose` says all. */
    logLevel: z.enum(['debug', 'info', 'warn']).optional(),
    http: z
      .strictObject({
        tokens: z
          .strictObject({
            /** With one of these, or one of `act`, everything may be read. None: anybody who reaches the port reads. */
            read: tokens,
            /** With one of these what changes something may be asked for. None, and no `clientCa`: nobody may. */
            act: tokens,
          })
          .prefault({}),
        tls: z
          .strictObject({
            /** PEM files, relative to the configuration's folder. */
            cert: z.string().min(1),
            key: secretRef,
            /** Whoever shows a certificate that this one signed may do what a token of `act` may. */
            clientCa: z.string().min(1).optional(),
            /** Only certificates with one of these common names; absent: all that `clientCa` signed. */
            clientNames: z.array(z.string().min(1)).min(1).optional(),
          })
          .optional(),
        /** Without TLS, and not only on this machine, what changes something is served all the same: behind a proxy that has TLS. */
        plaintext: z.boolean().default(false),
      })
      .prefault({}),
  })
  .prefault({});
