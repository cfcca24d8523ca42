import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { argus } from '../../../lab/demo/argus-command.ts';
import type { Lab } from '../../../lab/lab.ts';
import { names } from '../../../lab/lab-info.ts';
import type { FailoverWord, Operator } from './play.ts';

interface Report {
  readonly run: string;
  readonly kafkaFencing?: { readonly kind: NonNullable<FailoverWord['fencing']> };
  readonly promotedAt: FailoverWord['promotedAt'];
}

const patienceMs = 120_000;
const child = fileURLToPath(new URL('./kafka-failover-child.ts', import.meta.url));

/** Fails over by `argus failover`, or where the regions have only brokers by the steps of it that are about Kafka. */
export function operatorOf(lab: Lab, what: 'whole' | 'brokers'): Operator {
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  const run =
    what === 'whole' ? () => argus(settings, wholeFailover, { timeoutMs: patienceMs }) : () => kafkaAlone(settings);
  return {
    async failover() {
      const { exitCode, stdout, stderr } = await run();
      if (exitCode !== 0) return { why: `exit code ${exitCode}: ${stdout.slice(0, 600)}${stderr.slice(-600)}` };
      const report = JSON.parse(stdout) as Report;
      return { run: report.run, fencing: report.kafkaFencing?.kind, promotedAt: report.promotedAt };
    },
    async recount(id) {
      const { stdout, stderr } = await argus(settings, ['--json', 'runs', 'show', id, '--recount']);
      const counted = (JSON.parse(stdout || '{}') as Recount).recount?.topics[names.events.topic]?.counted;
      if (counted === undefined) throw new Error(`nothing was counted: ${stderr}${stdout.slice(0, 600)}`);
      return counted;
    },
  };
}

const wholeFailover = ['--json', 'failover', '--yes', '--accept-data-loss', '10m'];

interface Recount {
  readonly recount?: { readonly topics: Readonly<Record<string, { readonly counted: number }>> };
}

async function kafkaAlone(settings: { readonly configPath: string; readonly env: Readonly<Record<string, string>> }) {
  const started = spawn(process.execPath, [child, settings.configPath], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...settings.env },
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  });
  const exited = new Promise<number>((resolve) => started.once('close', (code) => resolve(code ?? 137)));
  const [stdout, stderr] = await Promise.all([text(started.stdout), text(started.stderr)]);
  return { exitCode: await exited, stdout, stderr };
}
