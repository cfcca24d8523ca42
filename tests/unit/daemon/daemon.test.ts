import { afterEach, describe, expect, it } from 'vitest';
import { runDaemon } from '../../../daemon/daemon.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { configSchema } from '../../../domain/config.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import type { Region } from '../../../regions/region.ts';
import { acquireLease } from '../../../state/lease.ts';
import { writeRoles } from '../../../state/roles.ts';
import { config as failoverConfig } from '../runbooks/failover/world.ts';
import { type QuietLog, quietLog } from './quiet-log.ts';

/** Sections whose parsed durations are no durations to the parser. */
const asWritten = {
  objectives: {},
  drill: {},
  reports: {},
  checkpoints: {},
  automatic: {},
  probes: {},
  notify: {},
  alerts: {},
};
const parsed = (mirror: object) => configSchema.parse({ ...failoverConfig, ...asWritten, daemon: { port: 0 }, mirror });
const ownMirror = parsed({});
const mirrorMaker = parsed({
  engine: 'mirrormaker2',
  mirrormaker: { connectUrl: { singapore: 'http://127.0.0.1:1' } },
});
/** Regions in which nothing may be asked but whether Kafka answers. */
const region = (name: string): Region => ({
  name,
  address: '127.0.0.1',
  brokers: { name, bootstrap: ['127.0.0.1:1'] },
  kafka: { describeTopics: async () => new Map() } as unknown as Region['kafka'],
  objects: memoryObjectStore(name),
  flink: {} as Region['flink'],
});

const ends: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(ends.splice(0).map((end) => end())));

function running(state: ObjectStore, config = ownMirror) {
  const log = quietLog();
  const stop = new AbortController();
  const regions = new Map(['mumbai', 'singapore'].map((name) => [name, region(name)]));
  const ended = runDaemon({ config, regions, state, clock: wallClock, log, holder: 'test' }, stop.signal);
  ended.catch(() => undefined);
  ends.push(async () => {
    stop.abort();
    await ended.catch(() => undefined);
  });
  return { log, ended };
}

const url = (log: QuietLog) => log.lines.map((l) => (l.facts as { url?: string }).url).find((u) => u !== undefined);
const base = { atMs: 1, by: 'ops@host' } as const;
const rival = { key: 'lease-daemon', holder: 'another', purpose: 'daemon', ttlMs: 15_000, waitMs: 0 };

describe('a daemon that is started after a failover', () => {
  it('says within two seconds that it does not replicate, also while a dead one still holds the right to', async () => {
    const state = memoryObjectStore('state');
    await writeRoles(state, { epoch: 1, primary: 'mumbai', standby: 'singapore', replication: 'active', ...base });
    await writeRoles(state, { epoch: 2, primary: 'singapore', standby: 'mumbai', replication: 'suspended', ...base });
    await acquireLease(state, rival, wallClock);
    const { log } = running(state);
    const why = /^not replicating: singapore was promoted \(roles epoch 2\)/;
    await expect
      .poll(() => log.lines.map((l) => l.message), { timeout: 2_000 })
      .toContainEqual(expect.stringMatching(why));
    const metrics = await (await fetch(`${url(log)}/metrics`)).text();
    expect(metrics).toContain('\nargus_replicating 0\n');
    expect(metrics).toContain('argus_roles_epoch{primary="singapore"} 2');
    expect(await (await fetch(`${url(log)}/healthz`)).json()).toMatchObject({
      ok: true,
      replication: 'idle',
      epoch: 2,
    });
  });
});

describe('a second daemon', () => {
  it('observes while the first lives: it is healthy, replicates nothing, and leaves the sightings to the first', async () => {
    const state = memoryObjectStore('state');
    const answer = await acquireLease(state, rival, wallClock);
    if (answer.kind !== 'acquired') throw new Error('the lease was not free');
    const { log } = running(state);
    const alive = setInterval(() => void answer.lease.renew(), 50);
    try {
      const health = async () => (await fetch(`${url(log)}/healthz`)).json();
      const observing = { ok: true, replication: 'idle', why: 'another leads; this daemon observes', epoch: 1 };
      await expect.poll(health, { timeout: 5_000 }).toMatchObject(observing);
      expect(await (await fetch(`${url(log)}/readyz`)).json()).toEqual({ ok: true });
    } finally {
      clearInterval(alive);
    }
    expect(await state.get('sightings/mumbai')).toBeUndefined();
  });

  it('takes the place of one that gives it back', async () => {
    const state = memoryObjectStore('state');
    const answer = await acquireLease(state, rival, wallClock);
    if (answer.kind !== 'acquired') throw new Error('the lease was not free');
    const { log } = running(state);
    await answer.lease.release();
    const health = async () => (await fetch(`${url(log)}/healthz`)).json();
    await expect.poll(health, { timeout: 5_000 }).toMatchObject({ replication: 'run' });
  });

  it('is refused beside something else that mirrors', async () => {
    const state = memoryObjectStore('state');
    const answer = await acquireLease(state, { ...rival, purpose: 'mirror run' }, wallClock);
    if (answer.kind !== 'acquired') throw new Error('the lease was not free');
    const { ended } = running(state);
    const alive = setInterval(() => void answer.lease.renew(), 50);
    try {
      await expect(ended).rejects.toMatchObject({ code: 'AlreadyReplicating', exitCode: 3 });
    } finally {
      clearInterval(alive);
    }
  });
});

describe('a daemon', () => {
  const tasks = (log: QuietLog) => log.lines.flatMap((l) => (l.facts as { task?: string }).task ?? []);

  it('mirrors by itself; a mirror that can reach nothing says so', async () => {
    const { log } = running(memoryObjectStore('state'));
    await expect.poll(() => tasks(log), { timeout: 5_000 }).toContain('mirror');
  });

  it('starts no mirror where MirrorMaker mirrors', async () => {
    const { log } = running(memoryObjectStore('state'), mirrorMaker);
    const health = async () => (await fetch(`${url(log)}/healthz`)).json();
    await expect.poll(health, { timeout: 5_000 }).toMatchObject({ replication: 'run' });
    expect(tasks(log)).not.toContain('mirror');
  });
});
