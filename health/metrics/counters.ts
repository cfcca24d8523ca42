import { Counter, type Registry } from 'prom-client';

/** What is counted as it happens, from the daemon's start on. */
export interface EventCounters {
  /** Counts a mirror process that ended by itself. */
  mirrorRestarted(): void;
  /** Counts a copy of committed offsets or checkpoints that failed. */
  syncFailed(what: 'checkpoints' | 'groups'): void;
  /** Counts what the sampling of both logs compared, and the ranges in which something differed. */
  audited(batches: number, differences: number): void;
  /** Counts alerts that the webhook was given, by what became of them: a small set of words, no text of theirs. */
  alertReceived(answer: string, count?: number): void;
  /** Counts a message to a channel that was sent, or given up; 0 only makes the series, so that its first increase shows. */
  notified(channel: string, outcome: 'sent' | 'failed' | 'dropped', count?: number): void;
  /** Counts a run that ended while the daemon looked, whoever had started it. */
  runEnded(runbook: string, outcome: string): void;
  /** Counts a verdict that began or ended. */
  verdictChanged(code: string): void;
}

/** The counters of one registry. */
export function eventCounters(registry: Registry): EventCounters {
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
  const restarts = counter('argus_mirror_restarts_total', 'Mirror processes that ended by themselves.');
  const failures = counter(
    'argus_sync_failures_total',
    'Copies of checkpoints or committed offsets that failed; each is tried again.',
    ['what'],
  );
  const auditedBatches = counter(
    'argus_mirror_audit_batches_total',
    'Record batches that were compared on both sides.',
  );
  const auditDifferences = counter(
    'argus_mirror_audit_differences_total',
    'Compared ranges in which the standby did not hold what the primary holds.',
  );
  const alerts = counter('argus_alerts_received_total', 'Alerts that the webhook was given.', ['answer']);
  const messages = counter('argus_notifications_total', 'Messages to a channel, by what became of them.', [
    'channel',
    'outcome',
  ]);
  const runs = counter('argus_runs_ended_total', 'Runs that ended while the daemon looked.', ['runbook', 'outcome']);
  const verdicts = counter('argus_verdict_changes_total', 'Verdicts that began or ended.', ['code']);
  // An increase of a series that was not there shows nowhere.
  for (const what of ['checkpoints', 'groups']) failures.inc({ what }, 0);

  return {
    mirrorRestarted: () => restarts.inc(),
    syncFailed: (what) => failures.inc({ what }),
    audited(batches, differences) {
      auditedBatches.inc(batches);
      auditDifferences.inc(differences);
    },
    alertReceived: (answer, count = 1) => alerts.inc({ answer }, count),
    notified: (channel, outcome, count = 1) => messages.inc({ channel, outcome }, count),
    runEnded: (runbook, outcome) => runs.inc({ runbook, outcome }),
    verdictChanged: (code) => verdicts.inc({ code }),
  };
}
