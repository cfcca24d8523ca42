import { z } from 'zod';
import { releaseOfMetadataVersion } from '../regions/kafka/metadata-version.ts';

const release = z.object({ version: z.string(), declared: z.literal(true).exactOptional() });

const regionVersions = z.object({
  region: z.string(),
  /** Null: no answer. Without `metadataVersion`: its brokers tell none, as those of ZooKeeper's time. */
  kafka: z
    .object({
      /** The level of `metadata.version` that the cluster has agreed on. */
      metadataVersion: z.int().exactOptional(),
      /** The highest one that the broker which was asked supports. */
      supports: z.int().exactOptional(),
    })
    .nullable(),
  /** Null: no answer. */
  flink: z.array(release).nullable(),
  /** Null: no answer. Absent: none is configured. */
  kubernetes: z.string().nullable().exactOptional(),
});

/** What one region ran, as it told in answer to what it was asked. */
export type RegionVersions = Readonly<z.output<typeof regionVersions>>;

/** What of it stands in a journal; undefined where there is none. Pure. */
export function readPlatformVersions(json: unknown): readonly RegionVersions[] | undefined {
  return z.array(regionVersions).safeParse(json).data;
}

/** In one line, part by part: `Kafka 4.3 (metadata.version 30) · Flink 2.2.1 · Kubernetes v1.36.3`. Pure. */
export function regionVersionsText({ kafka, flink, kubernetes }: RegionVersions): string {
  const parts = [kafkaText(kafka), flinkText(flink)];
  if (kubernetes !== undefined) parts.push(`Kubernetes ${kubernetes ?? notSeen}`);
  return parts.join(' · ');
}

const notSeen = 'not seen';

/** The protocol has no release: it is told from what the broker supports, and from what the cluster has agreed on. */
function kafkaText(kafka: RegionVersions['kafka']): string {
  if (kafka === null) return `Kafka ${notSeen}`;
  const { metadataVersion: level, supports = level } = kafka;
  if (level === undefined || supports === undefined) return 'Kafka that tells no metadata.version';
  const [broker, agreed] = [supports, level].map((l) => releaseOfMetadataVersion(l) ?? 'of a release unknown here');
  if (supports === level || broker === agreed) return `Kafka ${broker} (metadata.version ${level})`;
  return `Kafka ${broker}, held at metadata.version ${level} (${agreed})`;
}

function flinkText(flink: RegionVersions['flink']): string {
  if (flink === null) return `Flink ${notSeen}`;
  if (flink.length === 0) return 'Flink that tells no version';
  return `Flink ${flink.map(({ version, declared }) => `${version}${declared ? ' (declared)' : ''}`).join(', ')}`;
}
