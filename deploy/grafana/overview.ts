import type { DashboardPlan } from './panels.ts';

const bad1 = [
  { from: 0, colour: 'green' },
  { from: 1, colour: 'red' },
] as const;
const good1 = [
  { from: 0, colour: 'red' },
  { from: 1, colour: 'green' },
] as const;

/** What on-call looks at first: would a failover work now, and what would it cost. */
export const overview: DashboardPlan = {
  uid: 'argus-overview',
  title: 'Argus: would a failover work now',
  description: 'Readiness, what a failover would cost now, verdicts and runs. docs/metrics.md explains each series.',
  variables: {},
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'number',
          title: 'Standby',
          description: 'Whether anything would block a failover. `argus readiness` names it.',
          unit: 'short',
          queries: [{ expr: 'min(argus_standby_ready)', legend: '' }],
          bounds: good1,
          words: { '0': 'not ready', '1': 'ready' },
        },
        {
          kind: 'number',
          title: 'Primary',
          description: 'Whether the Kafka of the primary answers any daemon.',
          unit: 'short',
          queries: [{ expr: 'max(argus_primary_reachable)', legend: '' }],
          bounds: good1,
          words: { '0': 'does not answer', '1': 'answers' },
        },
        {
          kind: 'number',
          title: 'Blockers',
          description: 'What would block a failover now, counted.',
          unit: 'short',
          queries: [{ expr: 'max(argus_readiness_blockers)', legend: '' }],
          bounds: bad1,
        },
        {
          kind: 'number',
          title: 'Daemons that lead',
          description: 'One is right. None: nothing is replicated, and nobody acts.',
          unit: 'short',
          queries: [{ expr: 'sum(argus_daemon_leads)', legend: '' }],
          bounds: good1,
        },
        {
          kind: 'lines',
          title: 'RTO if the primary failed now',
          description: 'From the measured steps of earlier runs, and the objective.',
          unit: 's',
          queries: [
            { expr: 'max(argus_estimated_rto_seconds)', legend: 'estimate' },
            { expr: 'max(argus_objective_rto_seconds)', legend: 'objective' },
          ],
        },
        {
          kind: 'lines',
          title: 'RPO if the primary failed now',
          description: 'In time, and the objective.',
          unit: 's',
          queries: [
            { expr: 'max(argus_estimated_rpo_seconds)', legend: 'estimate' },
            { expr: 'max(argus_objective_rpo_seconds)', legend: 'objective' },
          ],
        },
      ],
    },
    {
      title: 'What is known of the regions',
      panels: [
        {
          kind: 'lines',
          title: 'Verdicts that stand',
          description: 'By code; docs/verdicts.md says what each allows.',
          unit: 'short',
          queries: [{ expr: 'max by (code) (argus_verdict) == 1', legend: '{{code}}' }],
        },
        {
          kind: 'lines',
          title: 'Probes that fail',
          description: 'By probe, region and observer: answered badly, or refused.',
          unit: 'short',
          queries: [
            {
              expr: '1 - argus_probe_up > 0',
              legend: '{{probe}} {{subject}} of {{region}}, seen by {{observer}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'How long probes take',
          description: 'The slowest observer of each probe.',
          unit: 's',
          queries: [
            {
              expr: 'max by (probe, region, subject) (argus_probe_latency_seconds)',
              legend: '{{probe}} {{subject}} of {{region}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'The old primary’s fence',
          description: '1 while it was found in force; empty before a failover.',
          unit: 'short',
          queries: [{ expr: 'min by (region) (argus_fence_holds)', legend: '{{region}}' }],
        },
      ],
    },
    {
      title: 'Runs',
      panels: [
        {
          kind: 'number',
          title: 'Unfinished runs',
          description: 'At work, or left by a dead process: `argus runs list`.',
          unit: 'short',
          queries: [{ expr: 'max(argus_runs_unfinished)', legend: '' }],
          bounds: [
            { from: 0, colour: 'green' },
            { from: 1, colour: 'orange' },
          ],
        },
        {
          kind: 'number',
          title: 'Newest runs',
          description: 'When the newest run of each runbook ended.',
          unit: 'dateTimeFromNow',
          queries: [{ expr: 'max by (runbook) (argus_run_last_timestamp) * 1000', legend: '{{runbook}}' }],
        },
        {
          kind: 'number',
          title: 'RTO reached',
          description: 'By the newest run of each runbook.',
          unit: 's',
          queries: [{ expr: 'max by (runbook) (argus_run_last_rto_seconds)', legend: '{{runbook}}' }],
        },
        {
          kind: 'number',
          title: 'Records lost',
          description: 'In the newest run of each runbook, as far as it could tell.',
          unit: 'short',
          queries: [{ expr: 'max by (runbook) (argus_run_last_lost_records)', legend: '{{runbook}}' }],
          bounds: bad1,
        },
      ],
    },
    {
      title: 'Drills',
      panels: [
        {
          kind: 'number',
          title: 'Newest drills',
          description: 'Whether the newest of each kind passed. `argus drill history` says why not.',
          unit: 'short',
          queries: [{ expr: 'min by (kind) (argus_drill_last_passed)', legend: '{{kind}}' }],
          bounds: good1,
          words: { '0': 'failed', '1': 'passed' },
        },
        {
          kind: 'number',
          title: 'Last proof',
          description:
            'When a drill of each kind passed last; none of those that restore or move for long is DrillOverdue.',
          unit: 'dateTimeFromNow',
          queries: [{ expr: 'max by (kind) (argus_drill_last_success_timestamp) * 1000', legend: '{{kind}}' }],
        },
        {
          kind: 'number',
          title: 'Next drills',
          description: 'When each kind is due by the schedule; in the past: it waits.',
          unit: 'dateTimeFromNow',
          queries: [{ expr: 'min by (kind) (argus_drill_next_timestamp) * 1000', legend: '{{kind}}' }],
        },
        {
          kind: 'number',
          title: 'Left behind by drills',
          description: 'Counted after the newest drill of each kind. `argus drill clean` removes it.',
          unit: 'short',
          queries: [{ expr: 'max by (kind) (argus_drill_last_leaks)', legend: '{{kind}}' }],
          bounds: bad1,
        },
        {
          kind: 'lines',
          title: 'RTO in drills',
          description: 'Measured by the newest drill of each kind, and the objective.',
          unit: 's',
          queries: [
            { expr: 'max by (kind) (argus_drill_last_rto_seconds)', legend: '{{kind}}' },
            { expr: 'max(argus_objective_rto_seconds)', legend: 'objective' },
          ],
        },
        {
          kind: 'lines',
          title: 'RPO in drills',
          description: 'What would have been lost when the newest drill of each kind began, and the objective.',
          unit: 's',
          queries: [
            { expr: 'max by (kind) (argus_drill_last_rpo_seconds)', legend: '{{kind}}' },
            { expr: 'max(argus_objective_rpo_seconds)', legend: 'objective' },
          ],
        },
      ],
    },
  ],
};
