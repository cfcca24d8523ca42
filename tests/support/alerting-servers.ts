import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { AlertingTools } from '../../lab/setup/prometheus.ts';
import { freePort } from './kafka-broker.ts';

/** A real Prometheus that scrapes a daemon each second, and a real Alertmanager that tells the daemon's webhook. */
export interface AlertingServers {
  /** The alerts that Prometheus holds, by name, and whether they fire. */
  alerts(): Promise<Readonly<Record<string, 'pending' | 'firing'>>>;
  /** A query's only value; undefined: it gives none. */
  query(expr: string): Promise<number | undefined>;
  stop(): Promise<void>;
}

export interface AlertingOptions {
  readonly tools: AlertingTools;
  /** The text of the rules' file. */
  readonly rules: string;
  /** `host:port` of the daemon. */
  readonly daemon: string;
  /** With which Alertmanager may ask for something. */
  readonly token: string;
}

const host = '127.0.0.1';

/** Starts both on free ports; ready when both say so. */
export async function startAlerting({ tools, rules, daemon, token }: AlertingOptions): Promise<AlertingServers> {
  const folder = await mkdtemp(join(tmpdir(), 'argus-test-alerting-'));
  const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()];
  const tokenFile = join(folder, 'token');
  await Promise.all([
    writeFile(tokenFile, token, { mode: 0o600 }),
    writeFile(join(folder, 'rules.yaml'), rules),
    writeFile(
      join(folder, 'prometheus.yaml'),
      stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        rule_files: ['rules.yaml'],
        alerting: { alertmanagers: [{ static_configs: [{ targets: [`${host}:${alertmanagerPort}`] }] }] },
        scrape_configs: [{ job_name: 'argus', static_configs: [{ targets: [daemon] }] }],
      }),
    ),
    writeFile(
      join(folder, 'alertmanager.yaml'),
      stringify({
        route: {
          receiver: 'argus',
          group_by: ['alertname'],
          group_wait: '0s',
          group_interval: '1s',
          repeat_interval: '1h',
        },
        receivers: [
          {
            name: 'argus',
            webhook_configs: [
              {
                url: `http://${daemon}/api/v1/alerts`,
                send_resolved: true,
                http_config: { authorization: { type: 'Bearer', credentials_file: tokenFile } },
              },
            ],
          },
        ],
      }),
    ),
  ]);
  const alertmanager = server(tools.alertmanager, tools.alertmanagerFolder, [
    `--config.file=${join(folder, 'alertmanager.yaml')}`,
    `--storage.path=${join(folder, 'alertmanager')}`,
    `--web.listen-address=${host}:${alertmanagerPort}`,
    '--cluster.listen-address=',
    '--log.level=error',
  ]);
  const prometheus = server(tools.prometheus, folder, [
    `--config.file=${join(folder, 'prometheus.yaml')}`,
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
    `--web.listen-address=${host}:${prometheusPort}`,
    // How long a resolved alert is sent for, and how often a firing one is.
    '--rules.alert.resend-delay=1s',
    '--log.level=error',
  ]);
  const api = async (path: string) => {
    const url = `http://${host}:${prometheusPort}/api/v1/${path}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return ((await answer.json()) as { readonly data: unknown }).data;
  };
  const stop = async () => {
    await Promise.all([alertmanager.stop(), prometheus.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all([
      alertmanager.ready(`http://${host}:${alertmanagerPort}/-/ready`),
      prometheus.ready(`http://${host}:${prometheusPort}/-/ready`),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async alerts() {
      const { alerts } = (await api('alerts')) as {
        readonly alerts: readonly {
          readonly labels: { readonly alertname: string };
          readonly state: 'pending' | 'firing';
        }[];
      };
      return Object.fromEntries(alerts.map((a) => [a.labels.alertname, a.state]));
    },
    async query(expr) {
      const { result } = (await api(`query?query=${encodeURIComponent(expr)}`)) as {
        readonly result: readonly { readonly value: readonly [number, string] }[];
      };
      return result[0] && Number(result[0].value[1]);
    },
    stop,
  };
}

function server(command: string, cwd: string, args: readonly string[]) {
  const child = spawn(command, args, { stdio: 'ignore', cwd });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    async ready(url: string) {
      for (let attempt = 0; ; attempt++) {
        const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined); // Not yet.
        if (answer?.ok) return;
        if (attempt > 200 || child.exitCode !== null) throw new Error(`${command} did not start`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
