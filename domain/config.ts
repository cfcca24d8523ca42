import { z } from 'zod';
import { alertsSection } from './alerts-config.ts';
import { automaticGaps, automaticSection } from './automatic-config.ts';
import { checkpointsSection, retentionOverride } from './checkpoints-config.ts';
import { duration } from './config-values.ts';
import { dnsGaps, dnsSection } from './dns-config.ts';
import { drillSection, jobDrill } from './drill-config.ts';
import { drillGaps } from './drill-kubernetes-config.ts';
import { flinkGaps, flinkSection, jobDeployment } from './flink-kubernetes-config.ts';
import { guardSection } from './guard-config.ts';
import { contactsSection, hooksSection } from './hooks-config.ts';
import { daemonSection } from './http-config.ts';
import { kafkaSection } from './kafka-config.ts';
import { kubernetesSection } from './kubernetes-config.ts';
import { mirrorSection } from './mirror-config.ts';
import { mirrorMakerGaps } from './mirrormaker-config.ts';
import { type NamePatterns, patternExpression } from './name-patterns.ts';
import { notifySection } from './notify-config.ts';
import { probesSection } from './probes-config.ts';
import { reportsSection } from './report-config.ts';
import { s3Access, storePlace } from './store-config.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens');
const ipv4 = z.ipv4('an IPv4 address');
const topicName = z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, 'a topic name');

/** Of names: `orders-*`, `/^orders-(eu|us)$/`. */
const pattern = z
  .string()
  .min(1)
  .refine((text) => {
    try {
      return patternExpression(text) !== undefined;
    } catch {
      return false;
    }
  }, 'a name, a pattern with * and ?, or a regular expression between slashes');

const region = z.strictObject({
  /** What the DNS records hold while this region serves. */
  address: ipv4,
  kafka: kafkaSection,
  objects: z.strictObject({ ...s3Access, bucket: z.string().min(3) }),
  flink: flinkSection,
  /** The API server of the region's Kubernetes; absent: Argus asks none. */
  kubernetes: kubernetesSection.optional(),
});

const keyPrefix = z.string().regex(/^[^/].*[^/]$/, 'a key prefix without slashes at its ends');

const job = z.strictObject({
  /** The job's name in Flink. */
  name: z.string().min(1),
  /** Where Flink writes this job's checkpoints: `<prefix>/<job id>/chk-<n>` in the region's bucket. */
  checkpoints: z.strictObject({
    prefix: keyPrefix,
    /**
     * Where savepoints of this job are written, in the same bucket: those that Flink tells of are replicated like
     * checkpoints. Absent: none is.
     */
    savepoints: keyPrefix.optional(),
    retention: retentionOverride,
  }),
  /** The Kafka consumer group whose committed offsets follow the job. */
  consumerGroup: z.string().min(1),
  /** Kafka topics that its sources read; absent: whatever its checkpoints name. */
  reads: z.array(topicName).optional(),
  /** Kafka topics that its exactly-once sinks write; absent: nobody knows. */
  writes: z.array(topicName).optional(),
  /** How it is started in a session cluster; may be absent where every region has FlinkDeployments. */
  submit: z
    .strictObject({
      /** Path of the job's jar, relative to the configuration's folder. */
      jar: z.string().min(1),
      entryClass: z.string().min(1),
      parallelism: z.int().min(1).max(32_768),
      /** Program arguments by region. */
      args: z.record(name, z.array(z.string())),
    })
    .optional(),
  /** Its FlinkDeployment in each region that has such. */
  kubernetes: z.record(name, jobDeployment).optional(),
  /** What it is started with in a drill. Absent: it takes part in none. */
  drill: jobDrill.optional(),
});

/** The shape of `argus.yaml`. Unknown keys are errors. */
export const configSchema = z
  .strictObject({
    regions: z.record(name, region),
    /** Roles at the very first start; from then on the state decides. */
    roles: z.strictObject({ primary: name, standby: name }),
    /** Topics to mirror: names, or patterns by which they are found. */
    topics: z.union([
      z.array(topicName).min(1),
      z.strictObject({ include: z.array(pattern).min(1), exclude: z.array(pattern).default([]) }),
    ]),
    /** Keys of topic configurations that the standby's topics take over, also when they change. */
    topicConfigs: z
      .array(z.string().min(1))
      .refine(
        (keys) => !keys.some((k) => k === 'compression.type' || k.startsWith('message.timestamp.')),
        "compression.type and message.timestamp.* are the mirror's own",
      )
      .optional(),
    /** Consumer groups whose committed offsets are copied, besides those of the jobs. */
    groups: z.strictObject({ include: z.array(pattern).min(1), exclude: z.array(pattern).default([]) }).optional(),
    mirror: mirrorSection,
    checkpoints: checkpointsSection,
    jobs: z.array(job).min(1),
    dns: dnsSection,
    /** What runbooks call beside their own steps. */
    hooks: hooksSection,
    /** Whom to call. */
    contacts: contactsSection,
    objectives: z.strictObject({ rto: duration.prefault('15m'), rpo: duration.prefault('1m') }).prefault({}),
    /** Roles, lease, journal, last sightings: a folder (`file:./state`) or a bucket in the standby's or a third region. */
    state: storePlace,
    /** `argus guard`. Absent: no region has one. */
    guard: guardSection.optional(),
    /** Who watches, and what may be done without a person. */
    automatic: automaticSection,
    /** How observers look. */
    probes: probesSection,
    /** Who is told what happens. */
    notify: notifySection,
    /** What Alertmanager's alerts lead to. */
    alerts: alertsSection,
    daemon: daemonSection,
    drill: drillSection,
    reports: reportsSection,
  })
  .superRefine((config, ctx) => {
    for (const role of ['primary', 'standby'] as const) {
      if (!(config.roles[role] in config.regions)) {
        ctx.addIssue({ code: 'custom', path: ['roles', role], message: `no region is called "${config.roles[role]}"` });
      }
    }
    if (config.roles.primary === config.roles.standby) {
      ctx.addIssue({ code: 'custom', path: ['roles', 'standby'], message: 'primary and standby must be two regions' });
    }
    for (const [region, { kafka }] of Object.entries(config.regions)) {
      if (config.guard === undefined) continue;
      const path = ['regions', region, 'kafka'];
      if (kafka.fence?.by !== 'acl') {
        const message = 'a guard has nothing to shut with: kafka.fence (by: acl) is needed in each region';
        ctx.addIssue({ code: 'custom', path, message });
      } else if (kafka.fence.jobs.length === 0) {
        const message = 'a guard must keep the jobs from writing, too: kafka.fence.jobs has to name their principals';
        ctx.addIssue({ code: 'custom', path: [...path, 'fence'], message });
      }
    }
    if (Object.keys(config.regions).length !== 2) {
      ctx.addIssue({ code: 'custom', path: ['regions'], message: 'two regions are needed: a primary and a standby' });
    }
    for (const { path, message } of config.mirror.mirrormaker
      ? mirrorMakerGaps(config.mirror.mirrormaker, config.regions, config.roles)
      : [])
      ctx.addIssue({ code: 'custom', path: ['mirror', 'mirrormaker', ...path], message });
    for (const { path, message } of automaticGaps(config.automatic, Object.keys(config.regions)))
      ctx.addIssue({ code: 'custom', path: ['automatic', ...path], message });
    for (const { path, message } of dnsGaps(config.dns, config.regions))
      ctx.addIssue({ code: 'custom', path: ['dns', ...path], message });
    const { observer } = config.daemon;
    if (observer !== undefined && !config.automatic.observers.some((o) => o.name === observer)) {
      const message = `automatic.observers has no "${observer}"`;
      ctx.addIssue({ code: 'custom', path: ['daemon', 'observer'], message });
    }
    for (const region of Object.keys(config.probes.ingress).filter((name) => !(name in config.regions)))
      ctx.addIssue({ code: 'custom', path: ['probes', 'ingress', region], message: `no region is called "${region}"` });
    for (const region of Object.keys(config.drill.regions).filter((name) => !(name in config.regions)))
      ctx.addIssue({ code: 'custom', path: ['drill', 'regions', region], message: `no region is called "${region}"` });
    for (const { path, message } of drillGaps(config)) ctx.addIssue({ code: 'custom', path, message });
    for (const { path, message } of flinkGaps(config)) ctx.addIssue({ code: 'custom', path, message });
    config.jobs.forEach((j, i) => {
      for (const region of Object.keys(config.regions)) {
        if (j.submit !== undefined && !(region in j.submit.args)) {
          ctx.addIssue({
            code: 'custom',
            path: ['jobs', i, 'submit', 'args'],
            message: `no arguments for region "${region}"`,
          });
        }
      }
    });
    const [a, b] = Object.values(config.regions);
    if (a && b && a.objects.endpoint === b.objects.endpoint && a.objects.bucket === b.objects.bucket) {
      ctx.addIssue({
        code: 'custom',
        path: ['regions'],
        message: 'both regions name the same bucket at the same endpoint: a replica must be apart',
      });
    }
  })
  .transform(({ topics, ...rest }) => {
    const names: readonly string[] = Array.isArray(topics) ? topics : [];
    // Which topics these are is asked for when a command begins.
    const byPattern: { readonly topicPatterns?: NamePatterns } = Array.isArray(topics) ? {} : { topicPatterns: topics };
    return { ...rest, topics: names, ...byPattern };
  });

/** A validated configuration; durations are milliseconds, secrets still references. */
export type Config = z.output<typeof configSchema>;
export type RegionConfig = Config['regions'][string];
export type JobConfig = Config['jobs'][number];
