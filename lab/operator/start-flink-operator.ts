import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jvmFlags } from '../components/jvm.ts';
import { logPathOf, type StartedComponent, startComponent } from '../components/process.ts';
import { flinkOpens } from '../setup/flink-jvm.ts';
import { ensureFlinkOperator } from '../setup/flink-operator.ts';
import type { SetupEvent } from '../setup/part.ts';

export interface FlinkOperatorOptions {
  /** The lab that it belongs to; the operator's folder and log lie in `dir`. */
  readonly lab: { readonly id: string; readonly dir: string };
  /** `mumbai/operator`. */
  readonly component: string;
  /** File with the access of a user who may do everything. */
  readonly kubeconfig: string;
  readonly java: string;
  /** Whose FlinkDeployments it looks after. */
  readonly namespaces: readonly string[];
  /**
   * The command that runs another one on the region's node: services have names only there. Without it, on this machine,
   * it reconciles objects but never reaches a job's REST interface.
   */
  readonly onNode?: (command: string, args: readonly string[]) => readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly progress?: (event: SetupEvent) => void;
  /** Until it looks after the objects; default 120 s. */
  readonly timeoutMs?: number;
}

const mainClass = 'org.apache.flink.kubernetes.operator.FlinkOperator';
/** The operator says this of each kind when it watches the kind's objects. */
const readyLines = ['flinkdeploymentcontroller', 'flinksessionjobcontroller'].map(
  (name) => `'${name}' controller started`,
);

/**
 * Starts the real Flink Kubernetes Operator as a process, which a cluster would run in a pod; ready when it watches
 * its objects. Its jars are fetched where they are missing. It outlives us: a lab's end kills it by its mark.
 */
export async function startFlinkOperator(options: FlinkOperatorOptions): Promise<StartedComponent> {
  const { lab, component, java } = options;
  const signal = options.signal ?? new AbortController().signal;
  const libs = await ensureFlinkOperator(signal, options.progress ?? (() => undefined));
  const dir = join(lab.dir, component.replaceAll('/', '-'));
  const conf = join(dir, 'conf');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(conf, { recursive: true, mode: 0o700 });
  writeFileSync(join(conf, 'flink-conf.yaml'), settings);
  writeFileSync(join(conf, 'log4j.properties'), log4j);
  const args = [
    ...jvmFlags({ heapMb: 256, tmpDir: join(dir, 'tmp') }),
    ...flinkOpens,
    `-Dlog4j2.configurationFile=${join(conf, 'log4j.properties')}`,
    '-cp',
    `${libs}/*`,
    mainClass,
  ];
  const [command = java, ...rest] = options.onNode?.(java, args) ?? [java, ...args];
  const before = logSize(logPathOf(lab.dir, component));
  const started = startComponent(lab, {
    component,
    command,
    args: rest,
    env: {
      KUBECONFIG: options.kubeconfig,
      FLINK_CONF_DIR: conf,
      FLINK_PLUGINS_DIR: join(dir, 'no-plugins'),
      OPERATOR_NAMESPACE: 'default',
      OPERATOR_NAME: 'flink-kubernetes-operator',
      WATCH_NAMESPACES: options.namespaces.join(','),
      HOSTNAME: component.replaceAll('/', '-'),
      // Where it is set, the operator asks a job's REST interface by the name of its service, else on localhost.
      KUBERNETES_SERVICE_HOST: 'set',
    },
  });
  const watches = async (): Promise<boolean> => {
    const log = readFileSync(started.logPath).subarray(before);
    return readyLines.every((line) => log.includes(line));
  };
  await started.ready(watches, { timeoutMs: options.timeoutMs ?? 120_000, signal });
  return started;
}

/** Short intervals, so that a test need not wait. Source: KubernetesOperatorConfigOptions of 1.7.0. */
const settings = Object.entries({
  'kubernetes.operator.reconcile.interval': '5 s',
  'kubernetes.operator.observer.progress-check.interval': '2 s',
  'kubernetes.operator.observer.rest-ready.delay': '1 s',
  'kubernetes.operator.leader-election.enabled': false,
  'kubernetes.operator.health.probe.enabled': false,
})
  .map(([key, value]) => `${key}: ${value}\n`)
  .join('');

const log4j = `rootLogger.level = INFO
rootLogger.appenderRef.c.ref = c
appender.c.name = c
appender.c.type = CONSOLE
appender.c.layout.type = PatternLayout
appender.c.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} [%X{resource.namespace}.%X{resource.name}] %m%n
`;

function logSize(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    // Its first start.
    return 0;
  }
}
