import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { ConnectCluster, ConnectorStatus } from '../../regions/connect/connect-rest.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { type MirrorMakerFlow, syncsTopic } from './flow.ts';
import type { ConnectorConfig } from './render.ts';

export interface DeployOptions {
  readonly connect: ConnectCluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Until each connector has to be seen where it should be. */
  readonly timeoutMs: number;
  readonly onProgress?: (message: string) => void;
}

/** What was done to a connector. */
export type Deployed = 'made' | 'changed' | 'unchanged';

const lookMs = 500;
/** What failed once has to be seen running for so long: a task that can't go on runs for a moment after each start. */
const settleMs = 6_000;

/**
 * Gives Kafka Connect these connectors, by name, where it has others, and waits until they run with their tasks. What
 * failed is started again once; what fails then is `ConnectorFailed`, what isn't seen running in time
 * `ConnectorNotRunning`. Idempotent.
 */
export async function deployConnectors(
  configs: ReadonlyMap<string, ConnectorConfig>,
  options: DeployOptions,
): Promise<ReadonlyMap<string, Deployed>> {
  const { connect, signal } = options;
  const done = new Map<string, Deployed>();
  const deadline = options.clock.monotonic() + options.timeoutMs;
  for (const [name, wanted] of configs) {
    const there = await patiently(() => connect.config(name, { signal }), options, deadline);
    const what = !there ? 'made' : sameConfig(there, wanted) ? 'unchanged' : 'changed';
    if (what !== 'unchanged') await patiently(() => connect.configure(name, wanted, { signal }), options, deadline);
    options.onProgress?.(`${name}: ${what}`);
    done.set(name, what);
  }
  for (const name of configs.keys()) await awaitRunning(name, options, deadline);
  return done;
}

/** Asks for a state of these connectors and waits until it is seen, of the connectors and all tasks. */
export async function bringConnectors(
  names: readonly string[],
  what: 'resume' | 'stop',
  options: DeployOptions,
): Promise<void> {
  const { connect, signal } = options;
  const deadline = options.clock.monotonic() + options.timeoutMs;
  for (const name of names) await patiently(() => connect.ask(name, what, { signal }), options, deadline);
  for (const name of names) {
    if (what === 'resume') await awaitRunning(name, options, deadline);
    // A stopped connector has no tasks left.
    else await awaitStatus(name, (s) => s.connector.state === 'STOPPED' && s.tasks.length === 0, options, deadline);
  }
}

async function awaitRunning(name: string, options: DeployOptions, deadline: number): Promise<void> {
  let restarted = false;
  let runsSince: number | undefined;
  await awaitStatus(
    name,
    async (status) => {
      const failed = [
        { ...status.connector, what: name },
        ...status.tasks.map((t) => ({ ...t, what: `task ${t.id} of ${name}` })),
      ].find((p) => p.state === 'FAILED');
      if (failed && restarted) {
        const message = `${failed.what} on ${failed.worker} failed again: ${failed.failure ?? 'no reason given'}`;
        throw new ArgusError('ConnectorFailed', message, { hint: "the rest of the trace is in the worker's log" });
      }
      if (failed) {
        options.onProgress?.(`${failed.what} failed, it is started again: ${failed.failure ?? 'no reason given'}`);
        await options.connect.restartFailed(name, { signal: options.signal });
        restarted = true;
        runsSince = undefined;
        // The old state is told until the workers have heard of it.
        await options.clock.sleep(4 * lookMs, options.signal);
        return false;
      }
      const tasks = status.tasks.length > 0 || name.endsWith('-checkpoint');
      const runs = tasks && status.connector.state === 'RUNNING' && status.tasks.every((t) => t.state === 'RUNNING');
      runsSince = runs ? (runsSince ?? options.clock.monotonic()) : undefined;
      return runsSince !== undefined && (!restarted || options.clock.monotonic() - runsSince >= settleMs);
    },
    options,
    deadline,
  );
}

async function awaitStatus(
  name: string,
  reached: (status: ConnectorStatus) => boolean | Promise<boolean>,
  options: DeployOptions,
  deadline: number,
): Promise<void> {
  for (;;) {
    const status = await patiently(() => options.connect.status(name, { signal: options.signal }), options, deadline);
    if (status && (await reached(status))) return;
    if (options.clock.monotonic() > deadline) {
      const tasks = status?.tasks.map((t) => t.state).join(', ') || 'none';
      const seen = status ? `${status.connector.state}, its tasks: ${tasks}` : 'not there';
      throw new ArgusError('ConnectorNotRunning', `${name} is ${seen}, after ${options.timeoutMs / 1_000} s`, {
        hint: "see the workers' log; a source connector has no task as long as no topic matches",
        retryable: true,
      });
    }
    await options.clock.sleep(lookMs, options.signal);
  }
}

/** Workers that share their work out anew refuse calls for a moment. */
async function patiently<T>(call: () => Promise<T>, options: DeployOptions, deadline: number): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const passing = error instanceof ArgusError && error.code === 'ConnectRefused' && error.retryable;
      if (!passing || options.clock.monotonic() > deadline) throw error;
      await options.clock.sleep(lookMs, options.signal);
    }
  }
}

/** Kafka Connect adds the connector's name. */
function sameConfig(there: ConnectorConfig, wanted: ConnectorConfig): boolean {
  const { name: _, ...rest } = there;
  const keys = new Set([...Object.keys(rest), ...Object.keys(wanted)]);
  return [...keys].every((key) => rest[key] === wanted[key]);
}

/**
 * Makes the log of syncs on the standby, or corrects it: compacted, as MirrorMaker makes it, but each sync is kept for a
 * time. As MirrorMaker makes it, only the newest sync of a partition is sure to be there. Idempotent.
 */
export async function keepSyncs(flow: MirrorMakerFlow, standby: KafkaAdmin, signal: AbortSignal): Promise<void> {
  const topic = syncsTopic(flow);
  const configs = {
    'cleanup.policy': 'compact',
    'min.compaction.lag.ms': `${flow.settings.keepSyncs}`,
    // Only closed segments are compacted.
    'segment.bytes': `${64 * 1024 * 1024}`,
  };
  if (!(await standby.describeTopics([topic], { signal })).has(topic))
    await standby.createTopic({ name: topic, partitions: 1, configs }, { signal });
  else await standby.alterTopicConfigs(topic, configs, { signal });
}
