import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { clusterPlaceOf } from '../../lab/cluster-lab/places.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import { playScenario, type ScenarioRun } from '../../lab/demo/scenario.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { names, type RegionName } from '../../lab/lab-info.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesApi } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';

/** What one command did. */
export interface Done {
  readonly exitCode: number;
  /** From its start to its end. */
  readonly ms: number;
  /** Its JSON document: a report, or what was refused. */
  readonly value: {
    readonly run?: string;
    readonly outcome?: string;
    readonly unfenced?: boolean;
    readonly pastReturn?: boolean;
    readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
    readonly steps?: readonly { readonly id: string; readonly status: string; readonly ms: number }[];
    readonly rpo?: { readonly topics: Readonly<Record<string, { readonly proven?: boolean }>> };
  };
}

/** A lab with pods under traffic, whose failover meets trouble. */
export interface ClusterFailover {
  readonly lab: Lab;
  /** Access to a region's API server as the user who may do everything, not through a link. */
  api(region: RegionName): Promise<KubernetesApi>;
  /** `argus --json failover --yes` with more arguments. */
  failOver(...args: readonly string[]): Promise<Done>;
  /** The same, told to end when its progress says this. */
  failOverUntil(said: string, ...args: readonly string[]): Promise<{ readonly exitCode: number }>;
  /** Another command, with its output as it stands. */
  command(
    ...args: readonly string[]
  ): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;
  /** Changes fields of the standby's manifest until the function that it gives is called. */
  withManifest(fields: Readonly<Record<string, unknown>>): () => void;
  stop(): Promise<void>;
}

const say = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

/** Starts it, with a recovery point that holds some of the traffic. */
export async function startClusterFailover(): Promise<ClusterFailover> {
  const setup = progressLines((line) => process.stderr.write(`${line}\n`), 15_000);
  const lab = await startLab({
    flavour: 'cluster',
    dir: mkdtempSync(join(tmpdir(), 'argus-cluster-')),
    progress: (event) => {
      if (event.kind === 'setup') setup(event.event);
    },
  });
  const clients: KubernetesApi[] = [];
  let run: ScenarioRun | undefined;
  const stop = async () => {
    await run?.stop();
    await Promise.all(clients.map((client) => client.close()));
    await lab.down();
  };
  try {
    const rest = { warmupMs: 4_000, afterMs: 0, distanceMs: 5 };
    run = playScenario(lab, { scenario: 'partition', rate: 50, ...rest, say });
    await run.warmUp();
  } catch (error) {
    await stop();
    throw error;
  }
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  const { manifest } = clusterPlaceOf(lab.info, names.standby);
  return {
    lab,
    stop,
    async api(region) {
      const { kubeconfig } = clusterPlaceOf(lab.info, region);
      const client = kubernetesClient(await clientNodeTransport(region, { kind: 'kubeconfig', files: [kubeconfig] }));
      clients.push(client);
      return client;
    },
    command: (...args) => argus(settings, args),
    async failOver(...args) {
      const from = performance.now();
      const done = await argus(settings, ['--json', 'failover', '--yes', ...args], { timeoutMs: 420_000 });
      const ms = Math.round(performance.now() - from);
      const document = done.stdout.startsWith('{') ? done.stdout : (/^\{.*\}$/m.exec(done.stderr)?.[0] ?? '{}');
      const value = JSON.parse(document) as Done['value'];
      const { code, message } = value.error ?? {};
      say(
        `argus failover ${args.join(' ')}: exit ${done.exitCode} after ${Math.round(ms / 1_000)} s: ${code}: ${message}`,
      );
      if (code === undefined && done.exitCode !== 0) say(done.stderr.slice(-2_000));
      say((value.steps ?? []).map((step) => `${step.id} ${step.status} ${Math.round(step.ms / 100) / 10}`).join(', '));
      return { exitCode: done.exitCode, ms, value };
    },
    async failOverUntil(said, ...args) {
      const stop = new AbortController();
      const child = argus(settings, ['failover', '--yes', ...args], {
        signal: stop.signal,
        onStderr: (text) => {
          if (text.includes(said)) stop.abort();
        },
      });
      const exitCode = await child.then(
        (done) => done.exitCode,
        // It was told to end.
        () => 130,
      );
      say(`argus failover ${args.join(' ')} ended at "${said}": ${exitCode}`);
      return { exitCode };
    },
    withManifest(fields) {
      const before = readFileSync(manifest, 'utf8');
      const doc = parseDocument(before);
      for (const [path, value] of Object.entries(fields)) doc.setIn(path.split('/'), value);
      writeFileSync(manifest, doc.toString());
      return () => writeFileSync(manifest, before);
    },
  };
}
