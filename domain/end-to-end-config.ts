import { z } from 'zod';
import { duration, serviceUrl } from './config-values.ts';

const topicName = z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, 'a topic name');

/** An event of Argus' own that goes the whole way: through the ingress, into Kafka, to the standby, and through the job. */
export const endToEndSection = z
  .strictObject({
    every: duration.prefault('10s'),
    /** A leg that takes longer has failed. */
    deadline: duration.prefault('30s'),
    /** By region: where its ingress takes events, by POST. */
    ingress: z.record(z.string(), serviceUrl),
    headers: z.record(z.string(), z.string()).default({ 'content-type': 'application/json' }),
    /** What is posted; `{id}` (new each time), `{sequence}` and `{atMs}` are filled in. */
    body: z.string().min(1).includes('{id}', { message: 'a text that holds {id}: by it the event is found again' }),
    /** The mirrored topic in which the ingress puts it. */
    input: topicName,
    /** The topic in which the job passes it on; absent: it is not looked for. */
    output: topicName.optional(),
    /** By what text it is known there. */
    outputHolds: z.string().min(1).default('{id}'),
  })
  .optional();

/** `probes.endToEnd` of argus.yaml; durations in ms. */
export type EndToEndSettings = NonNullable<z.output<typeof endToEndSection>>;
