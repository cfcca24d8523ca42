import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditRegions } from '../auditor/audit.ts';
import { waitUntilSettled } from '../auditor/settled.ts';
import type { Lab } from '../lab.ts';
import { names } from '../lab-info.ts';
import { clientOutage } from '../traffic/client-outage.ts';
import { readLedger } from '../traffic/ledger.ts';
import { argus, startDaemon } from './argus-command.ts';
import type { DemoResult, Scenario } from './result.ts';
import { startTraffic, type TrafficProcess } from './traffic.ts';

export interface ScenarioOptions {
  readonly scenario: Scenario;
  /** Events a second. */
  readonly rate: number;
  /** How long the traffic runs before the outage. */
  readonly warmupMs: number;
  /** How long it goes on in the standby. */
  readonly afterMs: number;
  /** How long a byte travels from one region to the other, one way. */
  readonly distanceMs: number;
  /** Runs right after the primary has failed, before anybody looks. */
  readonly afterOutage?: () => Promise<void>;
  /** Nobody begins the failover: automatic mode has to. */
  readonly unattended?: boolean;
  readonly signal?: AbortSignal;
  /** One line for people about what happens now. */
  readonly say: (line: string) => void;
  /** Argus' own progress, as it stands on its stderr. */
  readonly onArgusOutput?: (text: string) => void;
}

interface StatusJson {
  readonly healthy: boolean;
  readonly roles: { readonly primary: string };
  readonly regions: readonly {
    readonly name: string;
    readonly components: readonly { readonly component: string; readonly status: string }[];
  }[];
}

interface RecoveryPointsJson {
  readonly rpoBasis: 'counted' | 'estimated' | 'unknown';
  readonly jobs: readonly {
    readonly points: readonly { readonly verdict: string; readonly completedAtMs: number }[];
  }[];
}

interface FailoverJson {
  readonly run: string;
  readonly rtoMs?: number;
  readonly steps: readonly { readonly id: string; readonly ms: number }[];
  readonly rpo: {
    readonly topics: Readonly<Record<string, { readonly estimatedRecords: number; readonly ms: number }>>;
  };
  readonly replayedRecords: number;
}

interface RunJson {
  readonly run: string;
  readonly runbook: string;
  readonly status: string;
  readonly startedAtMs: number;
}

interface RecountJson {
  readonly recount: { readonly topics: Readonly<Record<string, { readonly counted: number; readonly ms: number }>> };
}

/** Keys of the traffic: enough that both partitions and subtasks have plenty, few enough that each one is busy. */
const keys = 100;

/** Asks until there is an answer. */
async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  options: { readonly everyMs: number; readonly forMs: number; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const deadline = performance.now() + options.forMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${Math.round(options.forMs / 1000)} s`);
    await sleep(options.everyMs, undefined, { signal: options.signal });
  }
}

/** The scenario's parts, so that a test may look and act between them. */
export interface ScenarioRun {
  /** Starts daemon and traffic; done when the mirror follows and a recovery point holds some of the traffic. */
  warmUp(): Promise<void>;
  /** Lets the primary fail, waits until `argus status` tells, and fails over. */
  failOver(): Promise<void>;
  /** Ends the traffic, brings the old primary's log back, recounts and audits. */
  account(): Promise<DemoResult>;
  /** Ends what was started here. Idempotent. */
  stop(): Promise<void>;
}

/** Plays one disaster on a lab that is up. */
export function playScenario(lab: Lab, options: ScenarioOptions): ScenarioRun {
  const { scenario, say, signal } = options;
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  const callOptions = {
    ...(signal && { signal }),
    ...(options.onArgusOutput && { onStderr: options.onArgusOutput }),
  };
  const ledgerPath = join(lab.dir, 'ledger.jsonl');
  const primary = lab.regions[names.primary];
  const standbyInfo = lab.info.regions[names.standby];
  const daemon = startDaemon({ ...settings, env: lab.processEnv('argus/daemon') }, join(lab.dir, 'argus-daemon.log'));
  let traffic: TrafficProcess | undefined;
  let outageAtMs = 0;
  let failover: FailoverJson | undefined;

  const status = async (): Promise<StatusJson | undefined> => {
    const run = await argus(settings, ['--json', 'status'], signal ? { signal } : {});
    return run.stdout.trim().startsWith('{') ? (JSON.parse(run.stdout) as StatusJson) : undefined;
  };
  const command = async (what: string, args: readonly string[]): Promise<unknown> => {
    const run = await argus(settings, args, callOptions);
    if (run.exitCode !== 0) throw new Error(`${what} ended with ${run.exitCode}:\n${run.stderr}${run.stdout}`);
    return JSON.parse(run.stdout);
  };
  const fail: Record<Scenario, () => Promise<unknown>> = {
    kill: () => primary.kill(),
    freeze: () => primary.freeze(),
    partition: () => primary.cut(),
  };
  const bringBack: Record<Scenario, () => Promise<unknown>> = {
    kill: () => primary.start('kafka', signal),
    freeze: () => primary.thaw(),
    partition: () => (primary.cluster ? primary.restore() : lab.link(names.standby, names.primary).restore()),
  };

  /** A person sees it, and begins. */
  const attended = async (): Promise<FailoverJson> => {
    await until(
      'argus status tells that the primary is gone',
      async () => {
        const seen = await status();
        const kafka = seen?.regions
          .find((r) => r.name === names.primary)
          ?.components.find((c) => c.component === 'kafka');
        return kafka !== undefined && kafka.status !== 'ok' ? true : undefined;
      },
      { everyMs: 300, forMs: 60_000, signal },
    );
    say(`argus status tells after ${((Date.now() - outageAtMs) / 1000).toFixed(1)} s; argus failover begins`);
    const args = ['--json', 'failover', '--yes', '--accept-unfenced'];
    return (await command('argus failover', args)) as FailoverJson;
  };

  /** The run that automatic mode makes, once it has ended. Asked seldom: each question is a process that takes its share of the machine. */
  const unattended = async (): Promise<FailoverJson> => {
    const ended = async (): Promise<RunJson | undefined> => {
      const { runs } = (await command('argus runs list', ['--json', 'runs', 'list'])) as {
        readonly runs: readonly RunJson[];
      };
      const run = runs.find((r) => r.runbook === 'failover' && r.startedAtMs > outageAtMs);
      return run && run.status !== 'running' ? run : undefined;
    };
    const { run, status: outcome } = await until('an automatic failover', ended, {
      everyMs: 3_000,
      forMs: 120_000,
      signal,
    });
    const shown = (await command('argus runs show', ['--json', 'runs', 'show', run])) as {
      readonly report?: FailoverJson;
    };
    if (outcome !== 'done' || shown.report === undefined)
      throw new Error(`the automatic failover ${run} is ${outcome}`);
    return { ...shown.report, run };
  };

  return {
    async warmUp() {
      await lab.link(names.standby, names.primary).delay(options.distanceMs);
      say(`traffic: ${options.rate} events/s through ${lab.info.ingestName}`);
      traffic = startTraffic({
        resolver: lab.info.dns.server,
        name: lab.info.ingestName,
        port: lab.info.ingestPort,
        rate: options.rate,
        keys,
        ledgerPath,
        env: lab.processEnv('outside/traffic'),
      });
      const fromMs = Date.now();
      await sleep(options.warmupMs, undefined, { signal });
      say('waiting for a recovery point that holds some of this traffic');
      await until(
        'a recovery point with traffic in it',
        async () => {
          // Not `argus status`: on a busy machine its looks, of 1.5 s each, tell little.
          const seen = await argus(settings, ['--json', 'recovery-points'], signal ? { signal } : {});
          if (!seen.stdout.startsWith('{')) return undefined;
          const { rpoBasis, jobs } = JSON.parse(seen.stdout) as RecoveryPointsJson;
          const point = jobs[0]?.points.find((p) => p.verdict === 'chosen');
          return rpoBasis !== 'unknown' && point && point.completedAtMs > fromMs + 2_000 ? true : undefined;
        },
        { everyMs: 500, forMs: 90_000, signal },
      );
    },

    async failOver() {
      outageAtMs = Date.now();
      say(`now the primary region fails: ${scenario}`);
      await fail[scenario]();
      await options.afterOutage?.();
      if (options.unattended) failover = await unattended();
      else failover = await attended();
      say(`failed over (${failover.run}); the traffic goes on in ${names.standby}`);
      await until(
        `acknowledgements from ${names.standby}`,
        async () => (traffic?.stats()?.by === names.standby ? true : undefined),
        { everyMs: 100, forMs: 30_000, signal },
      );
    },

    async account() {
      if (!failover) throw new Error('account comes after failOver');
      await sleep(options.afterMs, undefined, { signal });
      say('the traffic ends with one event a key');
      await traffic?.stop();
      say('the old primary comes back, still cut off from clients');
      await lab.link('outside', names.primary).cut();
      await bringBack[scenario]();
      const oldPrimary = lab.info.regions[names.primary].kafka.auditor;
      const { topic } = names.events;
      if (!(await waitUntilSettled({ bootstrap: oldPrimary, topics: [topic], stillMs: 4_000 }))) {
        throw new Error("the old primary's log did not come to rest");
      }
      const { recount } = (await command('argus runs show --recount', [
        '--json',
        'runs',
        'show',
        failover.run,
        '--recount',
      ])) as RecountJson;
      say('the auditor waits until the job has drained, then reads both logs');
      const topics = [topic, names.metrics.topic];
      if (!(await waitUntilSettled({ bootstrap: standbyInfo.kafka.auditor, topics, stillMs: 8_000 }))) {
        throw new Error("the standby's job did not drain");
      }
      const audit = await auditRegions({
        oldPrimaryBootstrap: oldPrimary,
        standbyBootstrap: standbyInfo.kafka.auditor,
        eventsTopic: topic,
        metricsTopic: names.metrics.topic,
        ledgerPath,
        client: lab.info.artifacts,
      });
      const outage = clientOutage(await readLedger(ledgerPath), { sinceMs: outageAtMs });
      const rpo = Object.entries(failover.rpo.topics).map(([name, t]) => [
        name,
        {
          estimated: t.estimatedRecords,
          counted: recount.topics[name]?.counted ?? -1,
          ms: recount.topics[name]?.ms ?? t.ms,
        },
      ]);
      return {
        scenario,
        ...(lab.info.cluster && { standby: lab.info.cluster.regions[names.standby].session ? 'warm' : 'cold' }),
        rate: options.rate,
        rtoMs: failover.rtoMs ?? -1,
        clientOutageMs: outage?.outageMs ?? -1,
        rpo: { topics: Object.fromEntries(rpo) },
        replayedRecords: failover.replayedRecords,
        audit: {
          acknowledged: audit.acknowledged,
          onStandby: audit.onStandby,
          orphans: audit.orphans,
          lost: audit.lost,
          lostUnknown: audit.lostUnknown,
          duplicated: audit.duplicated,
          misordered: audit.misordered,
          flink: audit.flink,
          outputDuplicates: audit.outputDuplicates,
        },
        steps: failover.steps.map(({ id, ms }) => ({ id, ms })),
      };
    },

    async stop() {
      await traffic?.stop();
      await daemon.stop();
    },
  };
}
