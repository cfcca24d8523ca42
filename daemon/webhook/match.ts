import { type AlertAction, type AlertsSettings, labelExpression } from '../../domain/alerts-config.ts';
import type { AlertMessage } from './alertmanager.ts';

/** What a message asks for, by the rules. */
export interface Asked {
  /** The most that any of its firing alerts asks for. */
  readonly action: AlertAction | 'none';
  /** Names of the firing alerts that ask for it; for people. */
  readonly because: readonly string[];
}

const weight = { none: 0, check: 1, propose: 2, act: 3 } as const;
const namesShown = 5;

/** Compiles the rules once; what it gives is pure. */
export function alertRules({ rules }: Pick<AlertsSettings, 'rules'>): (message: AlertMessage) => Asked {
  const compiled = rules.map((rule) => ({
    action: rule.do,
    labels: Object.entries(rule.match).map(([label, pattern]) => [label, labelExpression(pattern)] as const),
  }));
  return ({ alerts }) => {
    let action: Asked['action'] = 'none';
    let because: string[] = [];
    for (const { status, labels } of alerts) {
      if (status !== 'firing') continue;
      // A label that is not there is an empty one, as Alertmanager has it.
      const rule = compiled.find((r) => r.labels.every(([label, expression]) => expression.test(labels[label] ?? '')));
      if (rule === undefined || weight[rule.action] < weight[action]) continue;
      if (weight[rule.action] > weight[action]) because = [];
      action = rule.action;
      const name = (labels.alertname ?? 'an alert without a name').slice(0, 200);
      if (because.length < namesShown && !because.includes(name)) because.push(name);
    }
    return { action, because };
  };
}
