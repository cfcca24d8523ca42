import { z } from 'zod';
import { byteRate } from './config-values.ts';
import { mirrorMakerSection } from './mirrormaker-config.ts';

/** How topics are mirrored. Everything has a default that suits one process between two clusters. */
export const mirrorSection = z
  .strictObject({
    /** Who mirrors: Argus itself, or MirrorMaker 2 on Kafka Connect, which Argus deploys and watches. */
    engine: z.enum(['argus', 'mirrormaker2']).default('argus'),
    /** For `engine: mirrormaker2`. */
    mirrormaker: mirrorMakerSection.optional(),
    /** The primary's ACLs of mirrored topics and followed groups; those that allow to write only from a promotion on. */
    acls: z.enum(['follow', 'off']).default('follow'),
    /** A record a second through the mirror, from end to end. */
    heartbeat: z
      .strictObject({
        enabled: z.boolean().default(true),
        topic: z
          .string()
          .regex(/^argus\.[a-zA-Z0-9._-]{1,243}$/, 'a topic name that begins with argus.')
          .default('argus.heartbeat'),
      })
      .prefault({}),
    /** For `argus mirror run --share`. */
    share: z
      .strictObject({
        /** The consumer group on the standby's Kafka by which the processes share the partitions; nobody else's. */
        group: z
          .string()
          .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'letters, digits, dots, hyphens and underscores')
          .default('argus-mirror'),
      })
      .prefault({}),
    /** How fast the primary may be read, in bytes a second, as they stand in its log; absent: as fast as it goes. */
    throttle: z
      .strictObject({
        /** Of all topics together. */
        bytesPerSecond: byteRate.optional(),
        /** Of single topics; the limit of all counts as well. */
        topics: z.record(z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, 'a topic name'), byteRate).prefault({}),
      })
      .prefault({}),
    /** Who the mirror is to the standby's authorizer: `User:argus-mirror`. No job may use the same. */
    principal: z
      .string()
      .regex(/^[A-Za-z]+:.+$/, 'a principal like User:argus-mirror')
      .optional(),
    /** A failover denies that principal WRITE on the mirrored topics, and sees the denial. */
    denyWrite: z.boolean().default(false),
  })
  .superRefine(({ principal, denyWrite, engine, mirrormaker }, ctx) => {
    if (engine === 'mirrormaker2' && !mirrormaker)
      ctx.addIssue({ code: 'custom', path: ['engine'], message: 'mirrormaker2 needs mirror.mirrormaker.connectUrl' });
    if (denyWrite && principal === undefined)
      ctx.addIssue({
        code: 'custom',
        path: ['denyWrite'],
        message: 'mirror.principal has to say whom it is denied to',
      });
  })
  .prefault({});

/** How fast the primary may be read, in bytes a second. Absent: as fast as it goes. */
export interface Throttle {
  readonly bytesPerSecond?: number | undefined;
  readonly topics: Readonly<Record<string, number>>;
}
