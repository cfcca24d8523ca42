import type { DoctorFinding } from './finding.ts';

/** What one region runs, as far as it tells. */
export interface SeenVersions {
  readonly region: string;
  /** Levels of the features that its brokers agreed on; absent: they can't be asked. */
  readonly kafka?: ReadonlyMap<string, number>;
  /** Of the jobs that run there, each once. */
  readonly flink: readonly string[];
}

/** Releases whose checkpoints were restored by tests of this project: docs/checkpoints.md. */
const triedFlink = ['1.20', '2.2'];
/** The first release that writes a format of checkpoints that Argus reads. Source: Flink, MetadataV3Serializer; docs/checkpoints.md, Format. */
const firstFlink = [1, 14] as const;
/** The level of Kafka 3.3, the first release whose KRaft is for production. Source: MetadataVersion, IBP_3_3_IV3. */
const firstMetadataVersion = 7;

/** Whether the two regions run what Argus knows, and the same. Pure. */
export function judgeVersions(check: string, primary: SeenVersions, standby: SeenVersions): readonly DoctorFinding[] {
  const findings = [primary, standby].flatMap((side) => [...judgeKafka(check, side), ...judgeFlink(check, side)]);
  const [here, there] = [primary.kafka?.get('metadata.version'), standby.kafka?.get('metadata.version')];
  if (here !== undefined && there !== undefined && there < here)
    findings.push({
      check,
      code: 'StandbyKafkaOlder',
      severity: 'warning',
      region: standby.region,
      message: `Kafka of ${standby.region} is at metadata.version ${there}, that of ${primary.region} at ${here}: what clients use here may be missing there`,
      fix: `upgrade the standby first, then the primary: kafka-features.sh upgrade in ${standby.region}`,
    });
  const [a, b] = [primary.flink.map(minor), standby.flink.map(minor)];
  const other = b.find((version) => a.length > 0 && !a.includes(version));
  if (other !== undefined)
    findings.push({
      check,
      code: 'FlinkDiffers',
      severity: 'warning',
      region: standby.region,
      message: `Flink of ${standby.region} is ${other}, that of ${primary.region} ${a.join(', ')}: a checkpoint is only sure to be restored by the same release or a newer one`,
      fix: 'run the same release in both regions; upgrade the standby first',
    });
  return findings;
}

function judgeKafka(check: string, { region, kafka }: SeenVersions): readonly DoctorFinding[] {
  if (kafka === undefined) {
    const message = `which release Kafka of ${region} is can't be told: its brokers don't answer`;
    return [{ check, code: 'KafkaVersionUnknown', severity: 'unknown', region, message, fix: 'see why it is silent' }];
  }
  const level = kafka.get('metadata.version');
  if (level === undefined || level >= firstMetadataVersion) return [];
  return [
    {
      check,
      code: 'KafkaOld',
      severity: 'warning',
      region,
      message: `Kafka of ${region} is at metadata.version ${level}, older than Kafka 3.3: the mirror was tried with 3.9 and 4.3 (docs/mirror.md)`,
      fix: 'upgrade it, the standby first',
    },
  ];
}

function judgeFlink(check: string, { region, flink }: SeenVersions): readonly DoctorFinding[] {
  return [...new Set(flink)].flatMap((version): DoctorFinding[] => {
    const [major = 0, second = 0] = version.split('.').map(Number);
    const old = major < firstFlink[0] || (major === firstFlink[0] && second < firstFlink[1]);
    if (old) {
      const message = `Flink of ${region} is ${version}: its checkpoints have a format that Argus doesn't read`;
      return [{ check, code: 'FlinkTooOld', severity: 'error', region, message, fix: 'upgrade to 1.20 or 2.2' }];
    }
    if (triedFlink.includes(minor(version))) return [];
    const message = `Flink of ${region} is ${version}; restores were tried with ${triedFlink.join(' and ')}`;
    const fix = 'let a drill try it before an outage does: argus drill run';
    return [{ check, code: 'FlinkUntried', severity: 'advice', region, message, fix }];
  });
}

const minor = (version: string): string => version.split('.').slice(0, 2).join('.');
