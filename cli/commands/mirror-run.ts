import { aclLoops } from '../../daemon/follow-acls.ts';
import { followRoles } from '../../daemon/follow-roles.ts';
import { topicFollower } from '../../daemon/follow-topics.ts';
import { heartbeat } from '../../daemon/heartbeat.ts';
import { mirrorNews } from '../../daemon/mirror-news.ts';
import { regionOf } from '../../daemon/region-of.ts';
import { acquireReplicationLease } from '../../daemon/replication-lease.ts';
import { replicator } from '../../daemon/replicator.ts';
import { runMirror } from '../../daemon/run-mirror.ts';
import { shareMirror } from '../../daemon/share-mirror.ts';
import { standbyEnds } from '../../daemon/standby-ends.ts';
import type { MirrorStatus } from '../../replication/topics/mirror-status.ts';
import { reviewTopics } from '../../replication/topics/prepare-topics.ts';
import { ensureRoles } from '../../state/roles.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { preflight, rolesNow, withComposition } from '../session.ts';

const reportPaceMs = 5_000;

interface Options {
  readonly share?: boolean;
}

/**
 * `argus mirror run`: in the foreground until Ctrl-C; follows roles and freezes as the daemon does. With `--share` it
 * is one of several processes, each with its part of the partitions.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  const log = await context.openLog();
  return withComposition(context, async (composition) => {
    const { config, regions, state } = composition;
    requireOwnMirror(config, 'mirror run', 'MirrorMaker mirrors: see `argus mirror deploy` and `argus mirror status`');
    const { clock, signal, who } = context;
    const now = await rolesNow(context, composition);
    if (now.replication === 'active') {
      await preflight(context, composition, 'mirror', now);
      // Before anything is made: what can't be mirrored identically is refused.
      const sides = [regionOf(regions, now.primary), regionOf(regions, now.standby)] as const;
      const { refused } = await reviewTopics(...sides, config.topics, { signal, followed: config.topicConfigs });
      // What else is wrong with counts and names was looked at before; partitions that the standby lacks are added.
      const mended = config.topicPatterns ? ['PartitionCountDiffers', 'TopicMissing'] : ['PartitionCountDiffers'];
      const fatal = refused.find((r) => !mended.includes(r.code));
      if (fatal) throw fatal;
    }
    await ensureRoles(state, { ...config.roles, atMs: clock.now(), by: who }, { signal });
    let toldAt = Number.NEGATIVE_INFINITY;
    let seen: MirrorStatus | undefined;
    const onStatus = (status: MirrorStatus) => {
      for (const { level, message } of mirrorNews(seen, status)) log[level]({}, message);
      seen = status;
      if (clock.monotonic() - toldAt < reportPaceMs) return;
      toldAt = clock.monotonic();
      if (context.json) context.print(JSON.stringify(status, bigintAsText));
      else
        for (const [topic, t] of Object.entries(status.topics))
          log.info({ topic, lagRecords: t.lagRecords, lagMs: t.lagMs }, status.phase);
    };
    if (options.share) {
      await shareMirror({ config, regions, state, clock, log, holder: who, onStatus }, signal);
      return 0;
    }
    const lease = await acquireReplicationLease({ state, clock, holder: who }, 'mirror run', signal);
    const stopRenewing = lease.keepRenewed();
    const beating = heartbeat({ config, regions, clock, log });
    const follower = topicFollower({
      own: beating,
      config,
      regions,
      state,
      clock,
      log,
      start: (settings) => runMirror(settings, { clock, onStatus, mayWrite: () => lease.remainingMs() > 0 }),
    });
    try {
      await followRoles(
        {
          state,
          clock,
          log,
          confirms: true,
          replicator: replicator({
            clock,
            log,
            loops: [
              { name: 'topics', run: follower.run },
              { name: 'heartbeat', run: beating.run },
              ...aclLoops({ config, regions, topics: follower.names, state, clock, log }),
            ],
            standbyEnds: (direction) => standbyEnds(regionOf(regions, direction.target), follower.names()),
            openMirror: follower.open,
          }),
        },
        AbortSignal.any([signal, lease.signal]),
      );
    } finally {
      await stopRenewing();
      if (signal.aborted) await lease.release({ signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
    }
    if (!signal.aborted) lease.check();
    return 0;
  });
}
