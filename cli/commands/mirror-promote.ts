import { randomBytes } from 'node:crypto';
import { ArgusError } from '../../domain/errors.ts';
import { partitionsOf, type TopicPartition } from '../../domain/offsets.ts';
import type { Region } from '../../regions/region.ts';
import { decideOpenTransactions } from '../../replication/topics/decide-transactions.ts';
import { directionOf } from '../../runbooks/failover/direction.ts';
import { joinReplication } from '../../runbooks/failover/join-replication.ts';
import { exitCodeOf } from '../../runbooks/failover/report.ts';
import { drainMsFor } from '../../runbooks/failover/run-failover.ts';
import { decidePromotion } from '../../runbooks/promotion/decide-promotion.ts';
import { promotionRunbook, runPromotion } from '../../runbooks/promotion/run-promotion.ts';
import { firstFrozen, freezeInForce } from '../../state/freeze.ts';
import { readRun, runId } from '../../state/journal.ts';
import { ensureRoles } from '../../state/roles.ts';
import { foldRun } from '../../state/run-record.ts';
import { agree } from '../agree.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { renderEvent } from '../render-failover.ts';
import { renderOpenTransactions, renderPromotion } from '../render-promotion.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

interface Options {
  readonly list?: boolean;
  readonly yes?: boolean;
  readonly commit?: readonly string[];
}

const primaryPatienceMs = 2_000;

/**
 * `argus mirror promote`: makes the standby's Kafka the primary's, for who runs the rest by hand. Refused (3) after a
 * promotion, while a failover is under way, and for a transaction to commit that stands open nowhere.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    requireOwnMirror(
      composition.config,
      'mirror promote',
      'stop MirrorMaker with `argus mirror pause`; it leaves no transaction open and has other offsets',
    );
    const { config, names, state } = composition;
    const { clock, signal, who } = context;
    const commit = options.commit ?? [];
    const roles = await rolesNow(context, composition);
    const sides = await sidesOf(context, composition, roles);
    const there = await sides.standby.kafka.describeTopics(config.topics, { signal });
    const partitions = partitionsOf(there.values());
    const replication = joinReplication(sides.primary, sides.standby, config.topics);
    const told = (await firstFrozen(state, roles.epoch, { signal }))?.frozen.openTransactions ?? [];
    const open = await replication.remains.openTransactions(partitions, told, signal);
    if (options.list) {
      if (context.json)
        context.print(JSON.stringify({ region: sides.standby.name, openTransactions: open }, bigintAsText));
      else context.print(renderOpenTransactions(open, commit, clock.now()));
      return 0;
    }
    const freeze = await freezeInForce(state, roles.epoch, { signal });
    const frozenBy = freeze && {
      run: freeze.run,
      runbook: foldRun(await readRun(state, freeze.run, { signal }))?.runbook,
    };
    const verdict = decidePromotion({
      roles,
      frozenBy,
      openFailover: (await directionOf(state, roles, { signal })).resumes?.run,
      partitions: partitions.length,
      unmatched: decideOpenTransactions(open, { asked: commit, preCommitted: [] }).unmatched,
    });
    if (verdict.kind === 'refused') {
      const { code, message, hint } = verdict.error;
      throw new ArgusError(code, message, { exitCode: 3, ...(hint === undefined ? {} : { hint }) });
    }
    context.tell(renderOpenTransactions(open, commit, clock.now()).trimEnd());
    const answers = await primaryAnswers(sides.primary, partitions, signal);
    context.tell(
      `the mirror from ${roles.primary} stops for good and ${roles.standby} becomes the primary` +
        (answers ? `: ${roles.primary} answers, and what is written there from now on is lost` : ''),
    );
    if (!options.yes) await agree(context, roles.standby);
    await ensureRoles(state, { ...config.roles, atMs: clock.now(), by: who }, { signal });
    const report = await runPromotion({
      context: {
        config,
        ...sides,
        names,
        state,
        clock,
        jobs: [],
        roles,
        run: runId(clock.now(), promotionRunbook, randomBytes(2).toString('hex')),
        by: who,
        acceptUnfenced: true,
        drainMs: drainMsFor(answers),
        commitTransactions: commit,
        ...replication,
      },
      ...(verdict.resumes === undefined ? {} : { resumes: verdict.resumes }),
      holder: who,
      processes: context.processes,
      signal,
      onEvent: (event) => context.tell(renderEvent(event)),
    });
    context.print(context.json ? JSON.stringify(report) : renderPromotion(report));
    return exitCodeOf(report);
  });
}

async function primaryAnswers(
  { kafka }: Region,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await kafka.logRanges(partitions, { signal: AbortSignal.any([signal, AbortSignal.timeout(primaryPatienceMs)]) });
    return true;
  } catch {
    // Dark: there is nothing to drain.
    signal.throwIfAborted();
    return false;
  }
}
