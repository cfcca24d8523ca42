import type { ResolvedMarkers } from '../../domain/checkpoint.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { brokerConfigRequest } from '../../regions/kafka/describe-configs.ts';
import { describeTransactionsRequest } from '../../regions/kafka/describe-transactions.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { checkpointDirectories, flinkJobIdOf, inFolders, isNewerComplete, newestFlinkJobId } from './catalogue.ts';
import { type CheckpointContents, describeContents } from './check-contents.ts';
import type { CheckedJob, CheckedTransactions } from './checked-job.ts';
import { kafkaDetails } from './kafka-details.ts';
import { kafkaStates } from './kafka-states.ts';
import { keyInBucket } from './locations.ts';
import { type LookAtMarkers, markersOf, resolveMarkers } from './markers.ts';

/** What of a region the check looks at. */
export interface CheckedRegion {
  readonly brokers: KafkaEndpoint;
  readonly objects: ObjectStore;
  readonly flink: Pick<FlinkJobs, 'list' | 'checkpoints' | 'settings'>;
}

export interface CheckJobOptions {
  readonly job: string;
  readonly prefix: string;
  readonly primary: CheckedRegion;
  readonly standby: Pick<CheckedRegion, 'brokers'> & { readonly objects: Pick<ObjectStore, 'uri'> };
  /** Topics that the configuration names as the sources'; absent: nothing is compared. */
  readonly reads?: readonly string[] | undefined;
  /** Absent: nobody is asked what the sources' markers stand for. */
  readonly lookAtMarkers?: LookAtMarkers;
  readonly rpoMs: number;
  /** The wall clock. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

const REQUEST_MS = 5_000;
/** So often it is begun anew when Flink removes the checkpoint that is being read. */
const ATTEMPTS = 3;

/**
 * Looks at one job: its settings, its newest checkpoint in the primary's bucket, and its transactions' time-out. Only
 * reads. Flink or Kafka that can't be asked is part of the answer; errors of the bucket are thrown.
 */
export async function gatherJob(options: CheckJobOptions): Promise<CheckedJob> {
  const { job, prefix, primary, standby, rpoMs, nowMs, signal } = options;
  const { id, flink } = await lookAtFlink(primary.flink, job, signal);
  const checkpoint = await lookAtCheckpoint(primary, prefix, id, signal);
  const pending = checkpoint.kind === 'read' ? checkpoint.contents.transactions : [];
  const ids = [...new Set(pending.map((t) => t.transactionalId))];
  const transactions = await lookAtTransactions(primary.brokers, standby.brokers, ids, signal);
  const bucketUri = primary.objects.uri;
  const replicaBucketUri = standby.objects.uri;
  const resolvedMarkers = await lookAtSplits(options, checkpoint);
  return {
    ...{ job, prefix, bucketUri, replicaBucketUri, rpoMs, nowMs, flink, checkpoint, transactions },
    ...(options.reads === undefined ? {} : { reads: options.reads }),
    ...(resolvedMarkers === undefined ? {} : { resolvedMarkers }),
  };
}

/** Offsets for the checkpoint's markers; undefined when it has none, or when Kafka can't be asked. */
async function lookAtSplits(
  { prefix, primary, lookAtMarkers, nowMs, signal }: CheckJobOptions,
  checkpoint: CheckedJob['checkpoint'],
): Promise<ResolvedMarkers | undefined> {
  if (checkpoint.kind !== 'read' || lookAtMarkers === undefined) return undefined;
  const { flinkJobId } = checkpoint;
  const { sourceOffsets, kafkaSources, checkpointId } = checkpoint.contents;
  const states = { offsets: sourceOffsets, sources: { size: kafkaSources } };
  const markers = markersOf(states);
  if (markers.length === 0 || flinkJobId === undefined) return undefined;
  try {
    const seen = await lookAtMarkers(markers, flinkJobId, signal);
    const newer = await isNewerComplete(primary.objects, prefix, { flinkJobId, checkpointId }, { signal });
    return { group: seen.group, atMs: nowMs, splits: resolveMarkers(states, seen, newer) };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function lookAtFlink(
  flink: CheckedRegion['flink'],
  job: string,
  signal: AbortSignal,
): Promise<{ readonly id?: string; readonly flink: CheckedJob['flink'] }> {
  try {
    const jobs = await flink.list({ signal });
    const id = flinkJobIdOf(jobs, job);
    if (id === undefined) return { flink: { kind: 'missing' } };
    const [settings, checkpoints] = await Promise.all([
      flink.settings(id, { signal }),
      flink.checkpoints(id, { signal }),
    ]);
    const state = jobs.find((each) => inFolders(each) === id)?.state ?? 'UNKNOWN';
    return { id, flink: { kind: 'known', state, settings, newestPath: checkpoints.latestCompleted?.path } };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ArgusError)) throw error;
    return { flink: { kind: 'silent', message: error.message } };
  }
}

/** The newest completed checkpoint of the run, or of the run that wrote last where Flink doesn't name one. */
async function lookAtCheckpoint(
  { objects }: Pick<CheckedRegion, 'objects'>,
  prefix: string,
  flinkJobId: string | undefined,
  signal: AbortSignal,
  attempt = 1,
): Promise<CheckedJob['checkpoint']> {
  const run = flinkJobId ?? (await newestFlinkJobId(objects, prefix, { signal }));
  if (run === undefined) return { kind: 'none' };
  for (const { directory } of await checkpointDirectories(objects, prefix, run, { signal })) {
    const found = await objects.get(`${directory}/_metadata`, { signal });
    if (found === undefined) continue;
    try {
      const at = { directoryUri: `${objects.uri}/${directory}`, bucketUri: objects.uri };
      return { kind: 'read', flinkJobId: run, contents: await readContents(objects, found, at, signal) };
    } catch (error) {
      if (error instanceof Gone) {
        const subsumed = (await objects.head(`${directory}/_metadata`, { signal })) === undefined;
        if (subsumed && attempt < ATTEMPTS) return lookAtCheckpoint({ objects }, prefix, run, signal, attempt + 1);
        return {
          kind: 'unreadable',
          code: 'FileMissingAtSource',
          message: `${error.message} is missing in ${directory}`,
        };
      }
      if (!(error instanceof ArgusError) || error.code !== 'CheckpointMetadataInvalid') throw error;
      return { kind: 'unreadable', code: error.code, message: `${directory}: ${error.message}` };
    }
  }
  return { kind: 'none' };
}

class Gone extends Error {}
class Elsewhere extends Error {}

async function readContents(
  objects: CheckedRegion['objects'],
  { body, info }: NonNullable<Awaited<ReturnType<ObjectStore['get']>>>,
  at: { readonly directoryUri: string; readonly bucketUri: string },
  signal: AbortSignal,
): Promise<CheckpointContents> {
  const metadata = readMetadata(body);
  const read = async (uri: string): Promise<Uint8Array> => {
    const key = keyInBucket(uri, at.bucketUri);
    if (key === undefined) throw new Elsewhere(uri);
    const found = await objects.get(key, { signal });
    if (found === undefined) throw new Gone(uri);
    return found.body;
  };
  // Nothing is read outside the bucket: the file's URI is what the check tells of it.
  const elsewhereOr = <T>(nothing: T) => {
    return (error: unknown): T => {
      if (error instanceof Elsewhere) return nothing;
      throw error;
    };
  };
  const noStates = { offsets: [], transactions: [], sources: new Set<string>(), committers: new Set<string>() };
  const kafka = await kafkaStates(metadata, at.directoryUri, read).catch(elsewhereOr(noStates));
  const noDetails = { enumerators: [], writers: [], untold: [] };
  const details = await kafkaDetails(metadata, at.directoryUri, read).catch(elsewhereOr(noDetails));
  return describeContents(metadata, { ...at, completedAtMs: info.modifiedAtMs }, kafka, details);
}

/** What the brokers tell of these transactional ids; what can't be asked is undefined. Without ids nobody is asked. */
async function lookAtTransactions(
  primary: KafkaEndpoint,
  standby: KafkaEndpoint,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<CheckedTransactions> {
  if (ids.length === 0) return { timeoutMs: undefined, primaryLimitMs: undefined, standbyLimitMs: undefined };
  const [here, there] = [open(primary), open(standby)];
  const optional = async (answer: Promise<number | undefined>): Promise<number | undefined> => {
    const value = await answer.catch(() => undefined);
    signal.throwIfAborted();
    return value;
  };
  try {
    const [timeoutMs, primaryLimitMs, standbyLimitMs] = await Promise.all([
      optional(longestTimeout(here, ids, signal)),
      optional(transactionLimit(here, signal)),
      optional(transactionLimit(there, signal)),
    ]);
    return { timeoutMs, primaryLimitMs, standbyLimitMs };
  } finally {
    here.close();
    there.close();
  }
}

function open(endpoint: KafkaEndpoint): KafkaCluster {
  const timeouts = { connectTimeoutMs: REQUEST_MS, requestTimeoutMs: REQUEST_MS };
  return new KafkaCluster({ ...endpoint, clientId: 'argus-check', ...timeouts });
}

/** Every broker is asked, since only an id's coordinator answers for it. */
async function longestTimeout(
  cluster: KafkaCluster,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const { brokers } = await cluster.refresh([], signal);
  const request = () => describeTransactionsRequest(ids);
  const answers = await Promise.all(
    [...brokers.keys()].map((node) => cluster.send(node, 'control', request(), { signal })),
  );
  const known = answers.flat().filter(({ errorCode }) => errorCode === 0);
  return known.length > 0 ? Math.max(...known.map(({ timeoutMs }) => timeoutMs)) : undefined;
}

/** The longest time-out that every broker allows. */
async function transactionLimit(cluster: KafkaCluster, signal: AbortSignal): Promise<number | undefined> {
  const { brokers } = await cluster.refresh([], signal);
  const ask = (node: number) =>
    cluster.send(node, 'control', brokerConfigRequest(node, 'transaction.max.timeout.ms'), { signal });
  const known = (await Promise.all([...brokers.keys()].map(ask))).flatMap((v) => (v === undefined ? [] : [Number(v)]));
  return known.length > 0 ? Math.min(...known) : undefined;
}
