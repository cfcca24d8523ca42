import { stringify } from 'yaml';
import type { AlertGroup, AlertRule } from './alert-rule.ts';
import { daemonRules, runRules } from './argus-rules.ts';
import { regionRules } from './region-rules.ts';
import { checkpointRules, mirrorRules } from './replication-rules.ts';

export interface RulesOptions {
  /** The label `job` under which Prometheus scrapes the daemons. */
  readonly job?: string;
  /** No rule waits for longer than this, in seconds: for a try. */
  readonly forAtMostSeconds?: number;
}

/** Every alert rule, in groups. Pure. */
export function alertGroups(job = 'argus'): readonly AlertGroup[] {
  return [mirrorRules, checkpointRules, regionRules, runRules, daemonRules(job)];
}

/** The rules as a file of Prometheus (`rule_files`). Source: Prometheus' documentation, "Alerting rules". Pure. */
export function renderRules({ job, forAtMostSeconds = Number.POSITIVE_INFINITY }: RulesOptions = {}): string {
  const groups = alertGroups(job).map(({ name, rules }) => ({
    name,
    rules: rules.map((rule) => ruleOf(rule, Math.min(rule.forSeconds, forAtMostSeconds))),
  }));
  return `# Made by \`argus alerts render\`; docs/alerts.md explains each rule.\n${stringify({ groups }, { lineWidth: 0 })}`;
}

function ruleOf({ alert, expr, severity, action, summary, description, todo }: AlertRule, forSeconds: number) {
  return {
    alert,
    expr,
    ...(forSeconds === 0 ? {} : { for: promDuration(forSeconds) }),
    labels: { severity, ...(action === undefined ? {} : { argus_action: action }) },
    annotations: { summary, description, runbook: todo },
  };
}

function promDuration(seconds: number): string {
  if (seconds % 3_600 === 0) return `${seconds / 3_600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}
