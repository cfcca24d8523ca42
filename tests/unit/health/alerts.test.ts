import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alertGroups, renderRules } from '../../../health/alerts/render-rules.ts';
import { createMetrics } from '../../../health/metrics.ts';

const rules = alertGroups().flatMap((g) => g.rules);
const read = (file: string) => readFileSync(file, 'utf8');

describe('the alert rules', () => {
  it('are in deploy/prometheus/argus-rules.yaml as `argus alerts render` makes them', () => {
    expect(read('deploy/prometheus/argus-rules.yaml')).toBe(renderRules());
  });

  it('ask for series that the daemon has, or that Prometheus adds', async () => {
    const { body } = await createMetrics().render({ topics: {}, checkpoints: {} });
    const known = new Set([...body.matchAll(/^# TYPE (\S+) /gm)].map((m) => m[1]));
    const asked = rules.flatMap((r) => r.expr.match(/\b(argus|kafka|s3|process)_\w+/g) ?? []);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  it('each have a name of their own, a test of firing and not firing, and a place in docs/alerts.md', () => {
    const names = rules.map((r) => r.alert);
    expect(new Set(names).size).toBe(names.length);
    const { tests } = parse(read('deploy/prometheus/argus-rules.test.yaml')) as {
      readonly tests: readonly {
        readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
      }[];
    };
    const asked = tests.flatMap((t) => t.promql_expr_test);
    const documented = [...read('docs/alerts.md').matchAll(/^\| `(\w+)`/gm)].map((m) => m[1]);
    for (const name of names) {
      const own = asked.filter((t) => t.expr.includes(`alertname="${name}"`));
      expect(own.filter((t) => t.exp_samples.length > 0).length, `${name} fires in a test`).toBeGreaterThan(0);
      expect(own.filter((t) => t.exp_samples.length === 0).length, `${name} is silent in a test`).toBeGreaterThan(0);
    }
    expect(documented.toSorted()).toEqual(names.toSorted());
  });

  it('wait no longer than they are let, for a try', () => {
    const { groups } = parse(renderRules({ forAtMostSeconds: 5, job: 'dr' })) as {
      readonly groups: readonly { readonly rules: readonly { readonly for?: string; readonly expr: string }[] }[];
    };
    const made = groups.flatMap((g) => g.rules);
    expect(new Set(made.map((r) => r.for))).toEqual(new Set(['5s', undefined]));
    expect(made.some((r) => r.expr.includes('job="dr"'))).toBe(true);
  });
});
