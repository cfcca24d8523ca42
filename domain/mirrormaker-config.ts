import { z } from 'zod';
import { duration, secretRef, serviceUrl } from './config-values.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: the notation of Kafka Connect's config providers
const reference = 'a reference that Kafka Connect resolves, like ${file:/etc/connect/secrets.properties:name}';

/** Kafka Connect puts the secret in. Argus never sees it. */
const connectReference = z.string().regex(/^\$\{[^{}]+\}$/, reference);

const secretKey = /password|secret|jaas|\.key$|token/i;

const clientSettings = z.record(z.string().regex(/^[a-z0-9.]+$/, "a key of Kafka's Java client"), z.string());

/** MirrorMaker 2 on a Kafka Connect cluster whose workers belong to the standby's Kafka. */
export const mirrorMakerSection = z
  .strictObject({
    /** Kafka Connect's REST interface, by region: of the workers that write to that region's Kafka. */
    connectUrl: z.record(z.string(), serviceUrl),
    /** Basic authentication of that interface. */
    username: z.string().min(1).optional(),
    password: secretRef.optional(),
    /** Tasks of the source connector. */
    taskCount: z.int().min(1).max(1_000).default(4),
    /** identity: topics keep their names on the standby; default: they are called `<primary>.<topic>` there. */
    replicationPolicy: z.enum(['identity', 'default']).default('identity'),
    /** Kafka Connect's exactly-once support for sources (KIP-618); the workers need it switched on. */
    exactlyOnce: z.boolean().default(false),
    /** Of the topics that MirrorMaker makes; -1 is the broker's default. */
    replicationFactor: z.int().min(-1).max(32_767).default(-1),
    /** How long every sync is kept: offsets further back can't be translated. */
    keepSyncs: duration.prefault('1h'),
    /**
     * A sync that is older than this while records are missing makes a partition unhealthy. More than the workers'
     * `offset.flush.interval.ms` (60 s): the last syncs of a partition that falls quiet wait for it.
     */
    stalledAfter: duration.prefault('90s'),
    /** By region: the password of `kafka.sasl`, as Kafka Connect finds it. */
    saslPassword: z.record(z.string(), connectReference).prefault({}),
    /** By region: further settings of Kafka's Java clients, such as `ssl.truststore.location`. */
    clientSettings: z.record(z.string(), clientSettings).prefault({}),
  })
  .superRefine((section, ctx) => {
    const wrong = (path: (string | number)[], message: string) => ctx.addIssue({ code: 'custom', path, message });
    if ((section.username === undefined) !== (section.password === undefined))
      wrong([section.username === undefined ? 'password' : 'username'], 'username and password are needed together');
    for (const [region, settings] of Object.entries(section.clientSettings)) {
      for (const [key, value] of Object.entries(settings)) {
        if (secretKey.test(key) && !value.includes('${'))
          wrong(['clientSettings', region, key], `a secret is ${reference}`);
      }
    }
  });

export type MirrorMakerConfig = z.output<typeof mirrorMakerSection>;

/** What the section needs of the rest of the configuration and lacks: where, and what. */
export function mirrorMakerGaps(
  section: MirrorMakerConfig,
  regions: Readonly<Record<string, { readonly kafka: { readonly sasl?: unknown } }>>,
  { standby }: { readonly standby: string },
): readonly { readonly path: readonly string[]; readonly message: string }[] {
  const unknown = (['connectUrl', 'saslPassword', 'clientSettings'] as const).flatMap((key) =>
    Object.keys(section[key])
      .filter((region) => !(region in regions))
      .map((region) => ({ path: [key, region], message: `no region is called "${region}"` })),
  );
  const silent = Object.entries(regions)
    .filter(([name, { kafka }]) => kafka.sasl !== undefined && !(name in section.saslPassword))
    .map(([name]) => ({
      path: ['saslPassword'],
      message: `${name}'s Kafka asks for a login: name where Kafka Connect finds its password`,
    }));
  const unreached =
    standby in regions && !(standby in section.connectUrl)
      ? [{ path: ['connectUrl'], message: `no address of Kafka Connect for ${standby}, the standby` }]
      : [];
  return [...unknown, ...unreached, ...silent];
}
