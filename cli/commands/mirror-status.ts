import { regionOf } from '../../daemon/region-of.ts';
import { collectStatus } from '../../health/collect-status.ts';
import { mirrorRates, type TopicRate } from '../../health/mirror-rates.ts';
import { formatMs } from '../../health/render-status.ts';
import { assembleStatus } from '../../health/status.ts';
import type { StatusView, TopicLag } from '../../health/status-view.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Region } from '../../regions/region.ts';
import { heartbeatCluster, newestHeartbeat } from '../../replication/topics/heartbeat.ts';
import { partitionsText } from '../../replication/topics/share-partitions.ts';
import { readMirrorAudit } from '../../state/mirror-audit.ts';
import { pauseOf, readMirrorPause } from '../../state/mirror-pause.ts';
import { readMirrorThrottle, throttleInForce } from '../../state/mirror-throttle.ts';
import { readSharePlan } from '../../state/shared-mirror.ts';
import { readSighting } from '../../state/sightings.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, withComposition } from '../session.ts';
import { type ShareMemberView, shareMembers } from '../share-members.ts';
import { throttleLines } from './mirror-throttle.ts';

/** Between the two sightings by which rates are told. */
const rateMs = 2_000;

/** `argus mirror status`: the mirror's part of the status. Exit code 1 when a lag can't be told. */
export async function run(context: CommandContext): Promise<number> {
  return withComposition(context, async (composition) => {
    const { config, regions, names, state } = composition;
    const { clock, signal } = context;
    if (config.mirror.engine === 'mirrormaker2') {
      const { mirrorMakerStatus } = await import('./mirror-status-mirrormaker.ts');
      return mirrorMakerStatus(context, composition, await rolesNow(context, composition));
    }
    const rated = ratesNow(context, state, config.roles.primary);
    rated.catch(() => undefined);
    const facts = await collectStatus({ config, regions: [...regions.values()], names, state, clock, signal });
    signal.throwIfAborted();
    const { roles, mirror, wouldLose, daemon } = assembleStatus(facts);
    const call = { signal };
    const paused = await readMirrorPause(state, call);
    const throttle = throttleInForce(config.mirror.throttle, await readMirrorThrottle(state, call));
    const audit = await readMirrorAudit(state, roles.primary, call);
    const { heartbeat } = config.mirror;
    const standby = heartbeat.enabled && roles.replication === 'active' ? regions.get(roles.standby) : undefined;
    const beatAtMs = standby && (await lastBeat(standby, heartbeat.topic, signal));
    const heartbeatLagMs = beatAtMs === undefined ? undefined : Math.max(0, clock.now() - beatAtMs);
    const rates = roles.primary === config.roles.primary ? await rated : await ratesNow(context, state, roles.primary);
    const members = await membersNow(context, composition, roles);
    if (context.json)
      context.print(
        JSON.stringify({
          roles,
          daemon,
          mirror,
          heartbeatLagMs: heartbeatLagMs ?? null,
          wouldLose,
          rates,
          paused,
          throttle,
          audit: audit ?? null,
          members,
        }),
      );
    else if (roles.replication === 'suspended')
      context.print(`replication is suspended since ${roles.primary} was promoted`);
    else {
      for (const lag of mirror) {
        const pause = pauseOf(paused, lag.topic);
        const held = pause ? `; paused by ${pause.by} since ${new Date(pause.atMs).toISOString()}` : '';
        context.print(`${lagLine(lag, rates[lag.topic])}${held}`);
      }
      if (heartbeatLagMs !== undefined)
        context.print(`heartbeat: the newest that ${roles.standby} has is ${formatMs(heartbeatLagMs)} old`);
      if (throttle.bytesPerSecond !== undefined || Object.keys(throttle.topics).length > 0)
        for (const line of throttleLines(throttle)) context.print(line);
      if (typeof members === 'string') context.print(`who shares the partitions can't be told: ${members}`);
      else
        for (const { client, host, partitions } of members)
          context.print(`${client} at ${host.replace('/', '')}: ${partitionsText(partitions) || 'no partition'}`);
      if (!daemon.seen && members.length === 0) context.print('no daemon is seen at work');
      if (audit) context.print(`audit: ${audit.batches} batches compared, ${audit.differences} ranges differ`);
      if (audit?.last)
        context.print(
          `  last: ${audit.last.topic}-${audit.last.partition} at offset ${audit.last.offset}: ${audit.last.what}`,
        );
    }
    return mirror.every((lag) => lag.basis !== 'unknown') ? 0 : 1;
  });
}

/** The instant of the newest heartbeat on the standby; undefined where there is none, or nobody can tell. */
async function lastBeat({ brokers }: Region, topic: string, signal: AbortSignal): Promise<number | undefined> {
  const cluster = heartbeatCluster(brokers);
  try {
    return await newestHeartbeat(cluster, topic, AbortSignal.any([signal, AbortSignal.timeout(2_000)]));
  } catch {
    return undefined; // What the standby lacks or denies is told by `argus mirror check`.
  } finally {
    cluster.close();
  }
}

/** Who shares the partitions now; nobody where they were never shared under these roles. */
async function membersNow(
  { clock, signal }: CommandContext,
  { config, regions, state }: Composition,
  { epoch, replication, standby }: StatusView['roles'],
): Promise<readonly ShareMemberView[] | string> {
  if (epoch === undefined || replication !== 'active') return [];
  if (!(await readSharePlan(state, epoch, { signal }))) return [];
  return shareMembers(regionOf(regions, standby), config.mirror.share.group, { clock, signal });
}

/** By two sightings, some seconds apart; nothing when there are none or the state can't be read. */
async function ratesNow(
  { clock, signal }: CommandContext,
  state: ObjectStore,
  primary: string,
): Promise<Readonly<Record<string, TopicRate>>> {
  const read = () => readSighting(state, primary, { signal: AbortSignal.any([signal, AbortSignal.timeout(1_500)]) });
  try {
    const before = await read();
    if (!before || clock.now() - before.atMs > 10_000) return {};
    await clock.sleep(rateMs, signal);
    const after = await read();
    return after ? mirrorRates(before, after) : {};
  } catch {
    return {}; // The lag is told all the same; that nobody could tell the rate is seen by its absence.
  }
}

function lagLine(lag: TopicLag, rate: TopicRate | undefined): string {
  const records = lag.lagRecords === undefined ? 'lag unknown' : `${lag.lagRecords} records behind`;
  const time = lag.lagMs === undefined ? '' : `, ${formatMs(lag.lagMs)}`;
  const line = `${lag.topic}: ${records}${time} (${lag.basis})`;
  if (!rate) return line;
  const speed = `${Math.round(rate.mirroredPerSecond)} of ${Math.round(rate.recordsPerSecond)} records/s`;
  if (!lag.lagRecords) return `${line}, ${speed}`;
  return `${line}, ${speed}, ${rate.catchUpMs === undefined ? 'not catching up' : `caught up in ${formatMs(rate.catchUpMs)}`}`;
}
