import { ArgusError, describeError } from '../../domain/errors.ts';
import type { Roles } from '../../domain/roles.ts';
import type { DrillReport } from '../../drills/drill-report.ts';
import { drillRunbook } from '../../drills/isolated/run-isolated-drill.ts';
import { formatMs } from '../../health/render-status.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { countBeyond } from '../../replication/topics/recount.ts';
import { type FailbackReport, failbackRunbook } from '../../runbooks/failback/run-failback.ts';
import { type AssembledRecount, assembleRecount, type PartitionCount } from '../../runbooks/failover/recount.ts';
import type { FailoverReport } from '../../runbooks/failover/report.ts';
import { occasionIn } from '../../runbooks/occasion.ts';
import { type PromotionReport, promotionRunbook } from '../../runbooks/promotion/run-promotion.ts';
import type { SwitchoverReport } from '../../runbooks/switchover/report.ts';
import { stateOfRun } from '../../state/drills.ts';
import { inspectLinkedRun, type Json } from '../../state/journal.ts';
import type { ChainFault } from '../../state/journal-chain.ts';
import { putRecount } from '../../state/recounts.ts';
import { readRoles } from '../../state/roles.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import { kafkaEndpoint } from '../compose.ts';
import { resolveSecret } from '../config/load.ts';
import type { CommandContext } from '../context.ts';
import { renderDrill } from '../render-drill.ts';
import { renderFailback } from '../render-failback.ts';
import { renderReport } from '../render-failover.ts';
import { renderPromotion } from '../render-promotion.ts';
import { renderSwitchover } from '../render-switchover.ts';
import { withState } from '../session.ts';

/** `argus runs show <id> [--recount]`: exit code 2 for a run that isn't there, 1 when not all could be counted. */
export async function run(
  context: CommandContext,
  options: { readonly id: string; readonly recount?: boolean },
): Promise<number> {
  return withState(context, async (state, { config, folder }) => {
    const { signal } = context;
    const store = stateOfRun(state, options.id);
    const { entries, chained, fault } = await inspectLinkedRun(store, options.id, { signal });
    const record = foldRun(entries);
    if (!record && fault) throw tampered(fault);
    if (!record) {
      throw new ArgusError('RunMissing', `no run is called ${options.id}`, {
        exitCode: 2,
        hint: '`argus runs list` shows all',
      });
    }
    const report = record.report as unknown as FailoverReport | undefined;
    let recount: AssembledRecount | undefined;
    if (options.recount) {
      if (record.runbook === drillRunbook) {
        throw new ArgusError('NothingToRecount', `${options.id} was a drill: it changed no roles`, { exitCode: 3 });
      }
      if (record.runbook === 'switchover' && report) {
        throw new ArgusError('NothingToRecount', `${options.id} was a switchover: nothing stands on one side alone`, {
          hint: 'what its logs ended at on both sides is in its report; since then the old primary is mirrored to',
          exitCode: 3,
        });
      }
      if (!report || report.promotedAt.length === 0) {
        throw new ArgusError('NothingToRecount', `${options.id} promoted nothing: there is nothing to count`, {
          exitCode: 3,
        });
      }
      const roles = await readRoles(state, { signal });
      if (mirroredSince(record, roles)) {
        throw new ArgusError(
          'NothingToRecount',
          `${report.from} is mirrored to again: what it alone had is not in its log any more`,
          { exitCode: 3, hint: '`argus orphans list` shows what the failback counted and kept' },
        );
      }
      const secret = (reference: string) => resolveSecret(reference, folder, context.env);
      const from = config.regions[report.from];
      const brokers = from && (await kafkaEndpoint(report.from, from.kafka, folder, secret));
      recount = assembleRecount(report, await countAll(report, brokers, signal));
      await putRecount(state, { ...recount, atMs: context.clock.now(), by: context.who }, { signal });
    }
    if (context.json) {
      const journal = { chained, ...(fault ? { fault } : {}) };
      context.print(JSON.stringify({ ...record, ...(recount ? { recount } : {}), journal }));
    } else {
      context.print(render(record, report, recount));
      if (!chained) context.print('journal of an older version, without hashes: a change in it would not show');
    }
    if (fault) throw tampered(fault);
    return recount && recount.uncounted.length > 0 ? 1 : 0;
  });
}

/** Whether the roles that a run wrote are no longer in force: the logs that it left apart may have been joined since. Pure. */
function mirroredSince({ details }: Pick<RunRecord, 'details'>, roles: Roles | undefined): boolean {
  const before =
    details !== null && typeof details === 'object' && !Array.isArray(details) ? details.rolesEpoch : undefined;
  return typeof before === 'number' && roles !== undefined && roles.epoch > before + 1;
}

/** What is shown goes up to the entry that is not as it was written. */
const tampered = ({ run, seq, key, why }: ChainFault) =>
  new ArgusError(
    'JournalTampered',
    `the journal of ${run} is not as it was written from entry ${seq} on: ${key}: ${why}`,
    {
      exitCode: 3,
      hint: `restore ${key} from the bucket's versions, or move the run's entries away if you know that it is void`,
    },
  );

/** Every promoted partition of the old primary, counted from the promoted end on. Unreachable: exit code 1, with the reason. */
async function countAll(
  report: FailoverReport,
  region: KafkaEndpoint | undefined,
  signal: AbortSignal,
): Promise<readonly PartitionCount[]> {
  if (!region) {
    throw new ArgusError('RegionUnknown', `region "${report.from}" is not in the configuration`, { exitCode: 2 });
  }
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(120_000)]);
  const counts = await Promise.allSettled(
    report.promotedAt.map((p) => countBeyond(region, p.topic, p.partition, BigInt(p.offset), { signal: deadline })),
  );
  signal.throwIfAborted();
  const counted = counts.flatMap((c) => (c.status === 'fulfilled' ? [c.value] : []));
  const failed = counts.find((c) => c.status === 'rejected');
  if (counted.length === 0 && failed) {
    throw new ArgusError(
      'OldPrimaryUnreachable',
      `the log of ${report.from} can't be read: ${describeError(failed.reason)}`,
      {
        cause: failed.reason,
        retryable: true,
        hint: 'start its broker again, cut off from clients, then repeat this command',
      },
    );
  }
  return counted;
}

const stepLines = ({ steps }: RunRecord) =>
  steps.map(
    (s) =>
      `  ${s.id.padEnd(24)} ${s.status}${'ms' in s ? `  ${formatMs(s.ms)}` : ''}${'error' in s ? `  ${s.error.message}` : ''}`,
  );

/** A report in the words of its runbook; undefined for one that has none here: its steps are shown. */
function reportText(record: RunRecord, report: Json): string | undefined {
  switch (record.runbook) {
    case 'failover':
      return renderReport(report as unknown as FailoverReport);
    case 'switchover':
      return renderSwitchover(report as unknown as SwitchoverReport);
    case failbackRunbook:
      return renderFailback(report as unknown as FailbackReport);
    case promotionRunbook:
      return renderPromotion(report as unknown as PromotionReport);
    case drillRunbook:
      return `${renderDrill(report as unknown as DrillReport)}${stepLines(record).join('\n')}`;
    default:
      return undefined;
  }
}

function render(record: RunRecord, report: FailoverReport | undefined, recount: AssembledRecount | undefined): string {
  const { reason, startedFrom } = occasionIn(record.details);
  const from = startedFrom === undefined ? '' : ` from ${startedFrom}`;
  const lines = [`${record.run}: ${record.status}, by ${record.by}${from}, epoch ${record.epoch}`];
  if (reason !== undefined && report?.reason === undefined) lines.push(`because: ${reason}`);
  const told = record.report === undefined ? undefined : reportText(record, record.report);
  if (told !== undefined) lines.push(told.trimEnd());
  else {
    lines.push(...stepLines(record));
    if (record.status === 'running') lines.push('the journal has no end: the run is at work, or its process died');
  }
  if (record.hint !== undefined) lines.push(`hint: ${record.hint}`);
  if (recount) {
    lines.push('', 'recount in the log of the old primary');
    for (const [topic, t] of Object.entries(recount.topics)) {
      const notes = [
        t.exact ? '' : ' (a lower bound)',
        t.stillGrowing ? '; still growing: somebody writes there' : '',
      ].join('');
      lines.push(
        `  ${topic}: ${t.counted} records never reached the standby${notes}, ${t.bytes} bytes, ${formatMs(t.ms)}; estimated ${t.estimated ?? 'unknown'}`,
      );
    }
    for (const p of recount.uncounted) lines.push(`  ${p}: could not be counted`);
  }
  return lines.join('\n');
}
