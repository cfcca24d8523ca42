import { type Bubble, requireInBubble } from '../domain/bubble.ts';
import { ArgusError } from '../domain/errors.ts';
import type { FlinkJobs } from '../regions/flink/flink-jobs.ts';
import type { DrillDeployments } from '../regions/flink/flink-kubernetes-drills.ts';
import { jobOfUpload } from '../regions/flink/flink-rest-jars.ts';
import type { KafkaAdmin } from '../regions/kafka/kafka-admin.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { keyInBucket } from '../replication/checkpoints/locations.ts';
import { guardedPort, type Rules } from './guarded-port.ts';

/** Where a drill takes place: the parts of a region that it needs, as they are. */
export interface DrillSite {
  readonly name: string;
  readonly kafka: KafkaAdmin;
  readonly objects: ObjectStore;
  /** What the drill's jobs run in, with every job there. */
  readonly flink: FlinkJobs;
  /** The objects that its jobs are there. Absent: they run in a session cluster. */
  readonly deployments?: DrillDeployments;
  /** That is a session cluster for drills alone, or none. */
  readonly ownCluster: boolean;
  /** Who the drill's jobs are to the brokers. */
  readonly principal?: string;
}

/**
 * A region as one drill has it: it may look at everything, and change what has one of this drill's names. Any other
 * change is `OutsideBubble` before anything is sent; so is a call that no drill needs.
 */
export function bubbleRegion(site: DrillSite, bubble: Bubble): DrillSite {
  const refuse = (what: string) => (call: string) => outside(bubble, `${site.name}'s ${what}: ${call}`);
  return {
    ...site,
    kafka: guardedPort(site.kafka, kafkaRules(site, bubble), refuse('Kafka')),
    objects: guardedPort(site.objects, objectRules(bubble), refuse('object store')),
    flink: guardedPort(site.flink, flinkRules(site, bubble), refuse('Flink')),
    ...(site.deployments && {
      deployments: guardedPort(site.deployments, deploymentRules(bubble), refuse('FlinkDeployments')),
    }),
  };
}

/**
 * Regions by name, as a drill has them. `principal`: whose limits that drill had set, where the configuration names
 * somebody else by now. Undefined: there is no region of this name.
 */
export function bubbleSites(
  sites: ReadonlyMap<string, DrillSite>,
): (region: string, bubble: Bubble, principal?: string) => DrillSite | undefined {
  return (region, bubble, principal) => {
    const site = sites.get(region);
    return site && bubbleRegion(principal === undefined ? site : { ...site, principal }, bubble);
  };
}

/** The state as a drill has it: it reads all, and changes drills' notes alone. Its journal and lease are the engine's. */
export function bubbleState(state: ObjectStore, bubble: Bubble): ObjectStore {
  const note = (key: string) => {
    if (!/^drills\/open\/\d{8}T\d{6}Z-drill-[0-9a-f]{4}$/.test(key)) throw outside(bubble, `${key} in the state`);
  };
  const rules: Rules<ObjectStore> = { ...objectRules(bubble), put: note, copy: 'never', delete: note };
  return guardedPort(state, rules, (call) => outside(bubble, `the state: ${call}`));
}

function kafkaRules({ principal, name: region }: DrillSite, bubble: Bubble): Rules<KafkaAdmin> {
  const topic = (name: string) => requireInBubble(bubble, 'topic', name);
  const group = (name: string) => requireInBubble(bubble, 'group', name);
  const each = (check: (name: string) => void) => (names: Iterable<string>) => {
    for (const name of names) check(name);
  };
  return {
    describeTopics: 'reads',
    topicConfigs: 'reads',
    logRanges: 'reads',
    groupOffsets: 'reads',
    listGroups: 'reads',
    groupCommits: 'reads',
    describeQuotas: 'reads',
    listAcls: 'reads',
    createTopic: ({ name }) => topic(name),
    growTopic: 'never',
    alterTopicConfigs: 'never',
    deleteTopics: each(topic),
    setGroupOffsets: group,
    commitGroups: (commits) => each(group)(commits.keys()),
    deleteGroups: each(group),
    alterQuotas(of) {
      if (of !== principal) throw outside(bubble, `the quotas of ${of} on ${region}`);
    },
    initProducer: 'never',
    fenceProducer: 'never',
    createAcls: 'never',
    deleteAcls: 'never',
    close: 'never',
  };
}

function objectRules(bubble: Bubble): Rules<ObjectStore> {
  const key = (name: string) => requireInBubble(bubble, 'object', name);
  return {
    uri: 'value',
    account: 'value',
    get: 'reads',
    open: 'reads',
    head: 'reads',
    list: 'reads',
    put: key,
    copy: (_from, to) => key(to),
    delete: key,
    close: 'never',
  };
}

function flinkRules({ objects }: DrillSite, bubble: Bubble): Rules<FlinkJobs> {
  const job = (id: string | undefined) => requireInBubble(bubble, 'flinkJob', id ?? 'a job without an id');
  return {
    list: 'reads',
    checkpoints: 'reads',
    snapshots: 'reads',
    settings: 'reads',
    slots: 'reads',
    clusters: 'reads',
    versions: 'reads',
    check: 'reads',
    health: 'reads',
    pulse: 'reads',
    failureOf: 'reads',
    savepointStop: 'reads',
    uploads: 'reads',
    removeUpload: (id) => job(jobOfUpload(id)),
    start({ jobId, savepointPath, manifest }) {
      job(jobId);
      if (manifest !== undefined) requireInBubble(bubble, 'kubernetes', manifest.metadata.name);
      // Flink may consume what it restores, and aborts the transactions that it finds named there.
      const key = savepointPath && keyInBucket(savepointPath, objects.uri);
      requireInBubble(bubble, 'object', key ?? savepointPath ?? 'an empty start');
    },
    cancel: job,
    forceStop: job,
    settle: job,
    stopWithSavepoint: 'never',
  };
}

function deploymentRules(bubble: Bubble): Rules<DrillDeployments> {
  return { list: 'reads', delete: (name) => requireInBubble(bubble, 'kubernetes', name) };
}

const outside = ({ run }: Bubble, what: string) =>
  new ArgusError('OutsideBubble', `${what} is not for ${run} to change: a drill touches nothing but its own`, {
    hint: 'this is a fault of Argus: nothing was changed; report it with the journal of the drill',
    exitCode: 3,
  });
