import { z } from 'zod';
import { duration, serviceUrl } from './config-values.ts';
import { endToEndSection } from './end-to-end-config.ts';

/** How observers look at the regions: `argus observe`, and the daemon where it is one. */
export const probesSection = z
  .strictObject({
    /** How often what tells an outage is asked: Kafka, objects, Flink, Kubernetes, ingress. */
    period: duration.prefault('1s'),
    /** After this an answer is unknown. */
    deadline: duration.prefault('2s'),
    /** So many looks at once at most, in one process. */
    concurrency: z.int().min(4).max(256).default(32),
    /** Whether records and objects of Argus' own are written to see that it can be done. */
    writes: z.boolean().default(true),
    /** The topic for it, in each region's Kafka; never mirrored. */
    topic: z
      .string()
      .regex(/^argus\.[a-zA-Z0-9._-]{1,243}$/, 'a topic name that begins with argus.')
      .default('argus.probe'),
    /** By region: what tells that its ingress serves; any answer of 2xx does. */
    ingress: z.record(z.string(), serviceUrl).default({}),
    /** Absent: no event goes the whole way. */
    endToEnd: endToEndSection,
    /** From this difference on a clock is told to be wrong; the doubt of the measurement is taken off before. */
    clockSkew: duration.prefault('2s'),
    /** So long before its end a certificate or token is told. */
    expiryWarning: duration.prefault('336h'),
  })
  .prefault({});
