import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runDaemon } from '../../daemon/daemon.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { newBoard } from '../../daemon/web/board.ts';
import { collector } from '../../daemon/web/collect.ts';
import { alertRoute } from '../../daemon/webhook/alert-route.ts';
import { type AlertAnswer, alertDesk } from '../../daemon/webhook/desk.ts';
import { configSchema } from '../../domain/config.ts';
import { renderRules } from '../../health/alerts/render-rules.ts';
import { createMetrics } from '../../health/metrics.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { Names, Region } from '../../regions/region.ts';
import { type AlertingServers, startAlerting } from '../support/alerting-servers.ts';
import { alertingTools } from '../support/alerting-tests.ts';
import { type LinkedPair, startLinkedPair } from '../support/chaos/mirror-link.ts';
import { freePort } from '../support/kafka-broker.ts';
import { config as sampleConfig } from '../unit/runbooks/failover/world.ts';

const found = await alertingTools();
const title =
  found.kind === 'there'
    ? 'a daemon, a real Prometheus and a real Alertmanager'
    : `a daemon, a real Prometheus and a real Alertmanager (skipped, they need ${found.why})`;
const token = 'only-for-this-test';

describe.skipIf(found.kind === 'missing')(title, () => {
  let pair: LinkedPair;
  let servers: AlertingServers;
  let producer: Producer;
  let port: number;
  const regions = new Map<string, Region>();
  const answers: (AlertAnswer & { readonly names: readonly string[]; readonly status0: string })[] = [];
  const stop = new AbortController();
  let ended: Promise<void> = Promise.resolve();

  beforeAll(async () => {
    if (found.kind === 'missing') return;
    [pair, port] = await Promise.all([startLinkedPair(), freePort()]);
    const { mumbai, singapore } = sampleConfig.regions;
    const at = { mumbai: pair.farAddress.source, singapore: pair.farAddress.standby };
    for (const [name, address] of Object.entries(at)) regions.set(name, region(name, address));
    await regions.get('mumbai')?.kafka.createTopic({ name: 'events', partitions: 2, configs: {} });
    producer = new Kafka({ brokers: [pair.brokers.source.address], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const config = configSchema.parse({
      ...sampleConfig,
      regions: {
        mumbai: { ...mumbai, kafka: { bootstrap: [at.mumbai] } },
        singapore: { ...singapore, kafka: { bootstrap: [at.singapore] } },
      },
      topics: ['events'],
      objectives: {},
      drill: {},
      reports: {},
      checkpoints: {},
      automatic: {},
      probes: {},
      alerts: { rules: [{ match: { argus_action: 'check' }, do: 'check' }] },
      daemon: { port },
    });
    const state = memoryObjectStore('state');
    const [clock, metrics] = [wallClock, createMetrics()];
    const quiet = () => undefined;
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const names: Names = { records: { find: async () => [] } as unknown as Names['records'], resolvers: [] };
    const board = newBoard(() => clock.monotonic());
    const looks = collector({ board, sources: { config, regions: [...regions.values()], names, state, clock } });
    const desk = alertDesk({
      settings: config.alerts,
      state,
      clock,
      log,
      count: (result, alerts) => metrics.alertReceived(result, alerts),
      actions: {
        status: (maxAgeMs, signal) => looks.statusOf(maxAgeMs, signal),
        automatic: () => undefined,
        propose: async () => {
          throw new Error('nothing here proposes');
        },
      },
    });
    const heard = {
      answer: async (...[message, signal]: Parameters<typeof desk.answer>) => {
        const answer = await desk.answer(message, signal);
        const alertNames = message.alerts.map((a) => a.labels.alertname ?? '');
        answers.push({ ...answer, names: alertNames, status0: message.status });
        return answer;
      },
    };
    const access = { readTokens: [], actTokens: [token], clientCertificates: false, readableOnTheWay: false };
    ended = runDaemon(
      {
        config,
        regions,
        state,
        clock,
        log,
        metrics,
        holder: 'test',
        http: { settings: { access }, routes: [alertRoute(heard)] },
        services: [(view) => looks.service(view)],
      },
      stop.signal,
    );
    const daemon = `127.0.0.1:${port}`;
    servers = await startAlerting({ tools: found.tools, rules: renderRules({ forAtMostSeconds: 2 }), daemon, token });
  });
  afterAll(async () => {
    stop.abort();
    await servers?.stop();
    await ended;
    await producer?.disconnect();
    await Promise.all([...regions.values()].map((r) => r.kafka.close()));
    await pair?.stop();
  });

  function region(name: string, address: string): Region {
    const flink = { list: async () => [] } as unknown as Region['flink'];
    const kafka = new PlatformaticAdmin({ region: name, bootstrap: [address] });
    const brokers = { name, bootstrap: [address] };
    return { name, address: '127.0.0.1', kafka, brokers, objects: memoryObjectStore(name), flink };
  }
  const of = (name: string, status: 'firing' | 'resolved') =>
    answers.filter((a) => a.names.includes(name) && a.status0 === status);
  const alertsOf = async () => servers.alerts();

  test('the daemon is scraped, and what it mirrors is in Prometheus', async () => {
    await producer.send({ topic: 'events', messages: [{ value: 'a', partition: 0 }] });
    const told = () => servers.query('count(kafka_mirror_records_lag{topic="events"})');
    await expect.poll(told, { interval: 300 }).toBe(2);
    const leads = () => servers.query('argus_daemon_leads');
    await expect.poll(leads, { interval: 300 }).toBe(1);
  });

  test('a link that is cut makes an alert that fires; Argus looks and answers; healed, it resolves', async () => {
    expect((await alertsOf()).PrimaryUnreachable).toBeUndefined();
    await pair.links.source.cut();
    await expect.poll(async () => (await alertsOf()).PrimaryUnreachable, { interval: 300 }).toBe('firing');
    await expect.poll(() => of('PrimaryUnreachable', 'firing').length, { interval: 300 }).toBeGreaterThan(0);
    expect(of('PrimaryUnreachable', 'firing')[0]).toMatchObject({
      action: 'check',
      result: 'checked',
      sentence: expect.stringContaining('mumbai is not well'),
    });
    const checked = () => servers.query('argus_alerts_received_total{answer="checked"}');
    await expect.poll(checked, { interval: 300 }).toBeGreaterThan(0);
    await pair.links.source.restore();
    await expect.poll(async () => (await alertsOf()).PrimaryUnreachable, { interval: 300 }).toBeUndefined();
    await expect.poll(() => of('PrimaryUnreachable', 'resolved').length, { interval: 300 }).toBe(1);
  });

  test('Alertmanager without the token changes nothing', async () => {
    const message = { version: '4', groupKey: 'x', status: 'firing', alerts: [] };
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
    });
    expect(answer.status).toBe(401);
  });
});
