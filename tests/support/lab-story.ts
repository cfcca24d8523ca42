import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type AuditResult, auditRegions } from '../../lab/auditor/audit.ts';
import { auditorClient, topicEnds } from '../../lab/auditor/read-topic.ts';
import { waitUntilSettled } from '../../lab/auditor/settled.ts';
import { argus, startDaemon } from '../../lab/demo/argus-command.ts';
import { startTraffic } from '../../lab/demo/traffic.ts';
import type { Lab } from '../../lab/lab.ts';
import { names, type RegionName } from '../../lab/lab-info.ts';

const main = join(import.meta.dirname, '../../cli/main.ts');

/** A lab with a daemon and traffic, which is led through one event after the other. */
export interface LabStory {
  readonly ledgerPath: string;
  /** Where the auditor reaches a region's Kafka. */
  auditor(region: RegionName): string;
  /** `argus --json …` as a process of its own; its exit code has to be one of these (default 0). */
  json(args: readonly string[], exitCodes?: readonly number[]): Promise<Record<string, never>>;
  /**
   * Begins `argus …` and kills it (SIGKILL) as soon as it says this on stderr, or this is so (asked all the time); it must
   * not end before.
   */
  killedAt(args: readonly string[], when: RegExp | (() => boolean)): Promise<void>;
  /** Asks until there is an answer. */
  until<T>(what: string, ask: () => Promise<T | undefined>, forMs?: number): Promise<T>;
  /** Waits until a region acknowledges the traffic. */
  acknowledgedBy(region: RegionName): Promise<void>;
  /** Waits until a region has at least so many more events. */
  takes(region: RegionName, events: number): Promise<void>;
  /** Ends the traffic with one event a key, and waits until the region's job has drained. */
  endTraffic(region: RegionName): Promise<void>;
  /** What the auditor counts over both regions' logs, with this one as the active side. The traffic has ended before. */
  audit(active: RegionName): Promise<AuditResult>;
  /** Ends what was started here. Idempotent. */
  stop(): Promise<void>;
}

/** Starts daemon and traffic on a lab that is up, and waits until a recovery point holds some of it. */
export async function beginStory(lab: Lab, rate: number): Promise<LabStory> {
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  const daemon = startDaemon({ ...settings, env: lab.processEnv('argus/daemon') }, join(lab.dir, 'argus-daemon.log'));
  const ledgerPath = join(lab.dir, 'ledger.jsonl');
  const traffic = startTraffic({
    resolver: lab.info.dns.server,
    name: lab.info.ingestName,
    port: lab.info.ingestPort,
    rate,
    keys: 100,
    ledgerPath,
    env: lab.processEnv('outside/traffic'),
  });
  const auditor = (region: RegionName) => lab.info.regions[region].kafka.auditor;
  const story: LabStory = {
    ledgerPath,
    auditor,
    async json(args, exitCodes = [0]) {
      const done = await argus(settings, ['--json', ...args]);
      expect(exitCodes, `argus ${args.join(' ')} ended with ${done.exitCode}:\n${done.stderr}${done.stdout}`).toContain(
        done.exitCode,
      );
      return JSON.parse(done.stdout.startsWith('{') ? done.stdout : '{}');
    },
    killedAt: (args, when) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [main, '--config', lab.configPath, ...args], {
          stdio: ['ignore', 'ignore', 'pipe'],
          env: { ...process.env, ...settings.env },
        });
        let stderr = '';
        const look = () => (when instanceof RegExp ? when.test(stderr) : when()) && child.kill('SIGKILL');
        const looks = when instanceof RegExp ? undefined : setInterval(look, 2);
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          stderr += text;
          if (looks === undefined) look();
        });
        child.on('close', (code, signal) => {
          clearInterval(looks);
          const before = when instanceof RegExp ? `it said ${when}` : 'it was to be killed';
          if (signal === 'SIGKILL') resolve();
          else reject(new Error(`argus ${args.join(' ')} ended with ${code} before ${before}:\n${stderr}`));
        });
      }),
    async until(what, ask, forMs = 60_000) {
      for (const deadline = performance.now() + forMs; ; await new Promise((r) => setTimeout(r, 300))) {
        const answer = await ask();
        if (answer !== undefined) return answer;
        if (performance.now() > deadline) throw new Error(`${what}: not within ${forMs / 1_000} s`);
      }
    },
    async acknowledgedBy(region) {
      await story.until(`acknowledgements from ${region}`, async () => traffic.stats()?.by === region || undefined);
    },
    async takes(region, events) {
      const before = await eventsIn(auditor(region));
      const more = async () => (await eventsIn(auditor(region))) >= before + events || undefined;
      await story.until(`${events} more events in ${region}`, more);
    },
    async endTraffic(region) {
      await traffic.stop();
      const topics = [names.events.topic, names.metrics.topic];
      if (!(await waitUntilSettled({ bootstrap: auditor(region), topics, stillMs: 8_000 })))
        throw new Error(`${region}'s job did not drain`);
    },
    audit: (active) =>
      auditRegions({
        oldPrimaryBootstrap: auditor(active === names.primary ? names.standby : names.primary),
        standbyBootstrap: auditor(active),
        eventsTopic: names.events.topic,
        metricsTopic: names.metrics.topic,
        ledgerPath,
        client: lab.info.artifacts,
      }),
    async stop() {
      await traffic.stop();
      await daemon.stop();
    },
  };
  const fromMs = Date.now();
  await story.until(
    'a recovery point with traffic in it',
    async () => {
      const { jobs } = (await story.json(['recovery-points'], [0, 1, 2])) as unknown as RecoveryPoints;
      const point = jobs?.[0]?.points.find((p) => p.verdict === 'chosen');
      return (point && point.completedAtMs > fromMs + 4_000) || undefined;
    },
    90_000,
  );
  return story;
}

interface RecoveryPoints {
  readonly jobs?: readonly {
    readonly points: readonly { readonly verdict: string; readonly completedAtMs: number }[];
  }[];
}

async function eventsIn(bootstrap: string): Promise<number> {
  const admin = auditorClient(bootstrap).admin();
  await admin.connect();
  try {
    return (await topicEnds(admin, names.events.topic)).reduce((sum, { end }) => sum + end, 0);
  } finally {
    await admin.disconnect();
  }
}
