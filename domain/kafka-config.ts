import { z } from 'zod';
import { duration, secretRef } from './config-values.ts';

const hostPort = z.string().regex(/^[^\s:/]+:\d{1,5}$/, 'host:port');
const topicName = z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, 'a topic name');
const principal = z.string().regex(/^[A-Za-z]+:.+$/, 'a principal like User:ingest');
const mechanism = z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']);

/** Somebody who writes to the region's Kafka, and is kept from it once the region is no longer primary. */
const fencedPrincipal = z.strictObject({
  /** As the brokers' authorizer knows it. */
  principal: principal.refine((p) => p !== 'User:*', 'one principal: User:* would shut out Argus as well'),
  /** His login, by which the denial is tried. Absent: his rules are read back, and the proof is partial. */
  login: z
    .strictObject({
      /** Absent: the region's own. */
      mechanism: mechanism.optional(),
      username: z.string().min(1),
      password: secretRef,
    })
    .optional(),
});

const fence = z
  .strictObject({
    /** `acl`: by DENY rules. `none`: the brokers can't deny (no authorizer, or rules that Argus may not change). */
    by: z.enum(['acl', 'none']).default('acl'),
    /** A failover is refused where the fence can't be set up or is not seen, unless --accept-unfenced is given. */
    required: z.boolean().default(false),
    /** Principals of the services that take in data: denied first in a switchover. */
    producers: z.array(fencedPrincipal).default([]),
    /** Principals of the Flink jobs. */
    jobs: z.array(fencedPrincipal).default([]),
    /** Topics to fence besides the mirrored ones and those that jobs write. */
    topics: z.array(topicName).default([]),
    /** Who writes whatever the rules say (`super.users`): the proof is partial by each of them. */
    superUsers: z.array(principal).default([]),
    /** Principals that may go on to write: Argus' own, where it isn't `User:<username>`. */
    spared: z.array(principal).default([]),
    /** How long no log may grow after the denial was seen. */
    still: duration.prefault('2s'),
  })
  .superRefine(({ by, producers, jobs, spared, required }, ctx) => {
    const named = [...producers, ...jobs].map((p) => p.principal);
    const wrong = (path: string[], message: string) => ctx.addIssue({ code: 'custom', path, message });
    if (by === 'acl' && named.length === 0)
      wrong(['producers'], 'producers or jobs have to say whom a fence keeps from writing');
    if (by === 'none' && required) wrong(['required'], 'a fence by: none is never seen');
    const both = named.find((p) => spared.includes(p));
    if (both !== undefined) wrong(['spared'], `${both} can't be fenced and spared`);
  });

/** One region's Kafka: where it is, how it is spoken to, and how it is kept from being written to. */
export const kafkaSection = z
  .strictObject({
    bootstrap: z.array(hostPort).min(1),
    /** Present: TLS. An empty mapping trusts the authorities that Node knows. */
    tls: z
      .strictObject({
        /** File with the certificates to trust, PEM. */
        ca: z.string().min(1).optional(),
        /** File with this client's certificate chain, PEM. */
        cert: z.string().min(1).optional(),
        /** Its key, PEM. */
        key: secretRef.optional(),
        /** The name that the brokers' certificates bear, where it isn't their address. */
        servername: z.string().min(1).optional(),
      })
      .optional(),
    sasl: z
      .strictObject({
        mechanism,
        username: z.string().min(1),
        password: secretRef,
        /** PLAIN without TLS sends the password readable for everybody on the way. */
        allowPlaintextPassword: z.boolean().default(false),
      })
      .optional(),
    /** How its writers are kept out when the region is no longer primary. Absent: Kafka isn't fenced. */
    fence: fence.optional(),
  })
  .superRefine(({ tls, sasl, fence: fenced }, ctx) => {
    const wrong = (path: string[], message: string) => ctx.addIssue({ code: 'custom', path, message });
    if (tls && (tls.cert === undefined) !== (tls.key === undefined))
      wrong(['tls', tls.cert === undefined ? 'key' : 'cert'], 'cert and key are needed together');
    const plain = (asked: string | undefined) => asked === 'PLAIN' && !tls && sasl?.allowPlaintextPassword !== true;
    if (plain(sasl?.mechanism))
      wrong(
        ['sasl', 'mechanism'],
        'PLAIN without TLS shows the password to everybody on the way: add tls, use SCRAM, or set allowPlaintextPassword: true',
      );
    for (const { login } of [...(fenced?.producers ?? []), ...(fenced?.jobs ?? [])]) {
      if (login === undefined) continue;
      if (login.mechanism === undefined && sasl === undefined)
        wrong(['fence'], `the login of ${login.username} needs a mechanism: the region's Kafka has no sasl`);
      if (plain(login.mechanism))
        wrong(['fence'], `the login of ${login.username} by PLAIN without TLS shows its password: use SCRAM or tls`);
    }
    const own = sasl === undefined ? undefined : `User:${sasl.username}`;
    if ([...(fenced?.producers ?? []), ...(fenced?.jobs ?? [])].some((p) => p.principal === own))
      wrong(['fence'], `${own} is Argus itself: it must not be fenced`);
  });

/** The fence of a region's Kafka as it is configured. */
export type KafkaFenceConfig = NonNullable<z.output<typeof kafkaSection>['fence']>;
