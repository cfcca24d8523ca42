import { acquireReplicationLease } from '../../daemon/replication-lease.ts';
import { ArgusError } from '../../domain/errors.ts';
import { planReseed, type ReseedPlan, reseedTopic } from '../../replication/topics/reseed.ts';
import { lossCount } from '../../replication/topics/reseed-plan.ts';
import type { VerifyProgress } from '../../replication/topics/verify.ts';
import { freezeInForce } from '../../state/freeze.ts';
import { acquireLease } from '../../state/lease.ts';
import { agree } from '../agree.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

interface Options {
  readonly topic: string;
  readonly yes?: boolean;
  readonly acceptLoss?: bigint;
}

const tellPaceMs = 2_000;
const actingTtlMs = 15_000;

/**
 * `argus mirror reseed <topic>`: deletes the standby's topic and makes it anew, so that the mirror begins it again.
 * Refused (exit code 3) while a mirror runs or a failover is under way, after a promotion, and when records would be
 * lost for good that nobody has accepted to lose.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    requireOwnMirror(
      composition.config,
      'mirror reseed',
      'MirrorMaker holds its positions in Kafka Connect: see its documentation for how to copy a topic anew',
    );
    const { signal, clock, who } = context;
    const { state } = composition;
    const roles = await rolesNow(context, composition);
    const { primary, standby } = await sidesOf(context, composition, roles);
    if (roles.replication !== 'active') {
      throw refused(`${roles.primary} was promoted: ${roles.standby} may hold records that exist nowhere else`);
    }
    const freeze = await freezeInForce(state, roles.epoch, { signal });
    if (freeze) throw refused(`a failover is under way, or was left on the way (${freeze.run})`);
    const mirrorRight = await acquireReplicationLease({ state, clock, holder: who }, 'mirror reseed', signal);
    const stopRenewing = [mirrorRight.keepRenewed()];
    const held = [mirrorRight];
    try {
      const request = { holder: who, purpose: 'mirror reseed', ttlMs: actingTtlMs, waitMs: actingTtlMs + 3_000 };
      const answer = await acquireLease(state, request, clock, { signal });
      if (answer.kind === 'held') throw refused(`${answer.by.holder} acts on the regions (${answer.by.purpose})`);
      const acting = answer.lease;
      held.push(acting);
      stopRenewing.push(acting.keepRenewed());
      const reseeding = { clock, signal: AbortSignal.any([signal, mirrorRight.signal, acting.signal]) };
      let toldAt = clock.monotonic();
      const onProgress = ({ done, total }: VerifyProgress) => {
        if (clock.monotonic() - toldAt < tellPaceMs) return;
        toldAt = clock.monotonic();
        context.tell(`compared ${done} of ${total} offsets`);
      };
      const plan = await planReseed(primary, standby, options.topic, { ...reseeding, onProgress });
      context.tell(render(plan, primary.name, standby.name));
      const lost = lossCount(plan.losses);
      if (lost > (options.acceptLoss ?? 0n)) {
        throw refused(
          `${standby.name} alone has ${lost} records of "${options.topic}"`,
          `copy them first; or give --accept-loss ${lost} to lose them for good`,
        );
      }
      if (!options.yes) await agree(context, standby.name);
      const made = await reseedTopic(
        standby,
        plan,
        () => {
          mirrorRight.check();
          acting.check();
        },
        reseeding,
      );
      if (context.json) {
        const result = {
          region: standby.name,
          ...plan,
          lostRecords: lost,
          topicId: made.topicId,
        };
        context.print(JSON.stringify(result, bigintAsText));
      } else
        context.print(`"${options.topic}" is empty in ${standby.name} now; the mirror fills it again when it starts`);
      return 0;
    } finally {
      await Promise.all(stopRenewing.map((stop) => stop()));
      for (const lease of held.reverse())
        await lease.release({ signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
    }
  });
}

function render({ topic, losses }: ReseedPlan, primary: string, standby: string): string {
  const lines = [
    `"${topic.name}" in ${standby} is deleted and made anew with ${topic.partitions} partitions; the mirror then copies it from ${primary} again`,
    ...losses.map((l) => `  lost for good: ${topic.name}-${l.partition} [${l.from}, ${l.to}): ${l.why}`),
  ];
  if (losses.length === 0) lines.push(`  nothing is lost: ${primary} has every record`);
  return lines.join('\n');
}

function refused(message: string, hint?: string): ArgusError {
  return new ArgusError('ReseedRefused', message, { exitCode: 3, ...(hint === undefined ? {} : { hint }) });
}
