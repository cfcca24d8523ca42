import type { AlertGroup } from './alert-rule.ts';

const day = 86_400;
/** What shows that the standby works. */
const proofs =
  'argus_drill_last_success_timestamp{kind=~"isolated|switchover"} or argus_run_last_timestamp{runbook=~"switchover|failover"}';
/** By the schedule; without one 35 days. */
const longestPause = `scalar(max(argus_drill_longest_pause_seconds) or vector(${35 * day}))`;

/** Argus itself. `job` is the label under which Prometheus scrapes the daemons. */
export const daemonRules = (job: string): AlertGroup => ({
  name: 'argus-daemon',
  rules: [
    {
      alert: 'ArgusDaemonDown',
      expr: `(sum(up{job="${job}"}) or vector(0)) == 0`,
      forSeconds: 120,
      severity: 'critical',
      summary: 'No Argus daemon answers',
      description: 'Nothing is mirrored, replicated or watched: the RPO grows by a second each second.',
      todo: 'Start `argus daemon`; it goes on where it was. Is the machine there?',
    },
    {
      alert: 'ArgusNoLeader',
      expr: 'max(argus_daemon_leads) == 0',
      forSeconds: 120,
      severity: 'critical',
      summary: 'Daemons run, but none holds the right to replicate',
      description: 'The place of the state does not answer, or another process holds the right.',
      todo: '`argus status`; does the bucket of `state` answer?',
    },
    {
      alert: 'ReplicationSuspended',
      expr: 'max(argus_replicating) == 0',
      forSeconds: 3_600,
      severity: 'warning',
      summary: 'Nothing is replicated: there is no standby',
      description: 'After a failover it stays so until the old primary is back and `argus failback` was run.',
      todo: '`argus status` says why; plan the failback.',
    },
    {
      alert: 'NotificationFailing',
      expr: 'sum by (channel) (increase(argus_notifications_total{outcome!="sent"}[15m])) > 0',
      forSeconds: 0,
      severity: 'warning',
      summary: '{{ $labels.channel }} was not told of {{ $value | printf "%.0f" }} events',
      description: 'They were given up after all attempts, or the queue was full.',
      todo: '`argus notify test`; the log of `argus daemon` has the answer that was got.',
    },
    {
      alert: 'ArgusMemoryHigh',
      expr: `process_resident_memory_bytes{job="${job}"} > 250 * 1024 * 1024`,
      forSeconds: 900,
      severity: 'info',
      summary: 'The daemon uses {{ $value | humanize1024 }}B',
      description: 'It needs less than 250 MB without the mirror.',
      todo: 'Restart it when it suits, and report it.',
    },
  ],
});

/** Runs and what they proved. */
export const runRules: AlertGroup = {
  name: 'argus-runs',
  rules: [
    {
      alert: 'RunUnfinished',
      expr: 'time() - max(argus_run_silent_timestamp) > 900',
      forSeconds: 60,
      severity: 'critical',
      summary: 'A run stands still since {{ $value | humanizeDuration }}',
      description: 'Its process died, or it waits for something: the regions are half way.',
      todo: '`argus runs list`, `argus runs show`; the same command again goes on, `argus runs abort` goes back where it can.',
    },
    {
      alert: 'RtoMissed',
      expr: `(argus_run_last_rto_seconds > scalar(max(argus_objective_rto_seconds))) and on (runbook) (time() - argus_run_last_timestamp < ${day})`,
      forSeconds: 0,
      severity: 'info',
      summary: 'The last {{ $labels.runbook }} took {{ $value | humanizeDuration }}: more than the RTO',
      description: 'Told for a day.',
      todo: '`argus runs show` has the time of each step.',
    },
    {
      alert: 'DrillOverdue',
      expr: `(time() - max(${proofs}) > ${longestPause}) or on () (max(argus_daemon_leads) == 1 unless on () max(${proofs}))`,
      forSeconds: 3_600,
      severity: 'info',
      summary: 'For longer than the schedule allows nothing has shown that the standby works',
      description:
        'Neither an isolated drill that passed, nor a switchover, nor a failover: within the longest pause of `drill.schedule` and three days, without a schedule within 35 days.',
      todo: '`argus drill schedule` says what was left out, and why; then `argus drill run`.',
    },
    {
      alert: 'DrillFailed',
      expr: 'min by (kind) (argus_drill_last_passed) == 0',
      forSeconds: 0,
      severity: 'warning',
      summary: 'The newest drill ({{ $labels.kind }}) did not pass',
      description: 'A failover begun now may fail for the same reason. Told until a drill of that kind passes.',
      todo: '`argus drill history` has the reason, `argus runs show` each step with its evidence.',
    },
    {
      alert: 'DrillLeaks',
      expr: 'max by (kind) (argus_drill_last_leaks) > 0',
      forSeconds: 0,
      severity: 'warning',
      summary: 'The newest drill ({{ $labels.kind }}) left {{ $value }} things behind',
      description:
        'Topics, groups, objects, jobs or rights of the drill are still there; production does not use them.',
      todo: '`argus drill clean` removes what drills left, and names what it can not.',
    },
    {
      alert: 'FaultLeft',
      expr: 'max by (fault) (argus_drill_fault_left) == 1',
      forSeconds: 0,
      severity: 'warning',
      summary: 'A fault drill broke {{ $labels.fault }} and was cut off; it could not be healed',
      description: 'The primary is without it until it is healed. The daemon tries again, at most an hour apart.',
      todo: '`argus drill faults` has the command that heals it; `argus drill clean` tries once more. Healed by hand: `argus drill clean --healed <fault>`.',
    },
  ],
};
