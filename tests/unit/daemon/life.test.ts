import { describe, expect, test } from 'vitest';
import { decideReload } from '../../../daemon/life/decide-reload.ts';
import { exchangeableServices } from '../../../daemon/life/exchange-services.ts';
import { systemd } from '../../../daemon/life/systemd.ts';
import type { DaemonView, MakeService } from '../../../daemon/service.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { config } from '../runbooks/failover/world.ts';
import { quietLog } from './quiet-log.ts';

describe('a new configuration', () => {
  const notify = { ...config.notify, channels: [{ name: 'x' }] } as unknown as typeof config.notify;
  test.each([
    ['that is the same changes nothing', {}, { kind: 'apply', changed: [] }],
    ['with other receivers is taken over', { notify }, { kind: 'apply', changed: ['notify'] }],
    [
      'with other contacts is, too: runs read them anew',
      { contacts: [{ name: 'a' }] },
      { kind: 'apply', changed: ['contacts'] },
    ],
    [
      'with another log level is taken over',
      { daemon: { ...config.daemon, logLevel: 'warn' } },
      { kind: 'apply', changed: ['daemon.logLevel'] },
    ],
    [
      'with another port needs a restart',
      { daemon: { ...config.daemon, port: 1 } },
      { kind: 'needs-restart', changed: ['daemon'] },
    ],
    ['with other topics does', { topics: ['events', 'others'] }, { kind: 'needs-restart', changed: ['topics'] }],
    [
      'of which only a part could be taken over is not taken over in part',
      { notify, topics: ['x'] },
      { kind: 'needs-restart', changed: ['topics'] },
    ],
    ['with other regions does', { regions: {} }, { kind: 'needs-restart', changed: ['regions'] }],
    [
      'of automatic mode does',
      { automatic: { ...config.automatic, mode: 'advise' } },
      { kind: 'needs-restart', changed: ['automatic'] },
    ],
  ])('%s', (_, over, expected) => {
    expect(decideReload(config, { ...config, ...over } as typeof config)).toEqual(expected);
  });

  test('the order of its keys says nothing', () => {
    const reversed = Object.fromEntries(Object.entries(config).reverse()) as typeof config;
    expect(decideReload(config, reversed)).toEqual({ kind: 'apply', changed: [] });
  });

  test('topics that a pattern means are followed by themselves', () => {
    const topicPatterns = { include: ['*'], exclude: [] };
    const [a, b] = [
      { ...config, topicPatterns, topics: ['events'] },
      { ...config, topicPatterns, topics: [] },
    ];
    expect(decideReload(a, b)).toEqual({ kind: 'apply', changed: [] });
  });
});

describe('services that are exchanged', () => {
  const heard: string[] = [];
  const service =
    (name: string): MakeService =>
    () => ({
      name,
      async run(signal) {
        heard.push(`+${name}`);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        heard.push(`-${name}`);
      },
    });

  test('end before the others begin, the last begun first; at the end all are gone', async () => {
    const services = exchangeableServices([service('a'), service('b')], { clock: wallClock, log: quietLog() });
    const { run } = services.make({} as DaemonView);
    const stop = new AbortController();
    const ended = run(stop.signal);
    await services.exchange([service('c')]);
    stop.abort();
    await ended;
    expect(heard).toEqual(['+a', '+b', '-b', '-a', '+c', '-c']);
    await services.exchange([service('d')]);
    expect(heard).not.toContain('+d');
  });
});

describe('systemd', () => {
  const log = quietLog();
  test('is not told anything where nobody listens', () => {
    expect(systemd({}, { log, pid: 1 })).toBeUndefined();
  });
  test.each([
    ['for this process', { WATCHDOG_PID: '1' }, 30_000],
    ['for whoever was started', {}, 30_000],
    ['not when it is meant for another process', { WATCHDOG_PID: '2' }, undefined],
  ])('has its watchdog heard %s', (_, env, watchdogMs) => {
    const found = systemd({ NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '30000000', ...env }, { log, pid: 1 });
    expect(found?.watchdogMs).toBe(watchdogMs);
  });
  test('that can not be told is said once', async () => {
    const notify = systemd({ NOTIFY_SOCKET: '/nowhere', PATH: '/nowhere' }, { log, pid: 1 });
    await notify?.tell({ READY: '1' });
    await notify?.tell({ WATCHDOG: '1' });
    expect(log.lines.filter((l) => l.level === 'warn')).toHaveLength(1);
  });
});
