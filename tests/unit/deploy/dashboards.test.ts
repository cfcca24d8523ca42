import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DashboardPlan } from '../../../deploy/grafana/panels.ts';
import { dashboardText, plans } from '../../../deploy/grafana/render.ts';
import { createMetrics } from '../../../health/metrics.ts';

const panelsOf = (plan: DashboardPlan) => plan.rows.flatMap((r) => r.panels);

describe.each(plans.map((plan) => [plan.uid, plan] as const))('the dashboard %s', (uid, plan) => {
  it('is in deploy/grafana as `node deploy/grafana/render.ts` makes it', () => {
    expect(readFileSync(`deploy/grafana/${uid}.json`, 'utf8')).toBe(dashboardText(plan));
  });

  it('asks for series that the daemon has', async () => {
    const { body } = await createMetrics().render({ topics: {}, checkpoints: {} });
    const known = new Set([...body.matchAll(/^# TYPE (\S+) /gm)].map((m) => m[1]));
    const asked = [...panelsOf(plan).flatMap((p) => p.queries.map((q) => q.expr)), ...Object.values(plan.variables)];
    const names = asked.flatMap((expr) => expr.match(/\b(argus|kafka|s3|process)_\w+/g) ?? []);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  it('explains each panel, names each once, and lays none over another', () => {
    const titles = panelsOf(plan).map((p) => p.title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(panelsOf(plan).every((p) => p.description !== '' && p.unit !== '')).toBe(true);
    const { panels } = JSON.parse(dashboardText(plan)) as {
      readonly panels: readonly { readonly id: number; readonly gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[];
    };
    expect(new Set(panels.map((p) => p.id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});

it('shows every series of docs/metrics.md somewhere, but those that rules alone need', () => {
  const shown = plans.flatMap((plan) => panelsOf(plan).flatMap((p) => p.queries.map((q) => q.expr))).join(' ');
  const rows = readFileSync('docs/metrics.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const all = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((m) => m[1] ?? ''));
  expect(all.filter((name) => !new RegExp(`\\b${name}\\b`).test(shown)).toSorted()).toEqual([
    'argus_credential_expiry_timestamp',
    'argus_drill_fault_left',
    'argus_drill_last_duration_seconds',
    'argus_drill_last_timestamp',
    'argus_drill_longest_pause_seconds',
    'argus_drill_skipped',
    'argus_probe_unknown',
    'argus_readiness_timestamp',
    'argus_replica_newest_checkpoint_id',
    'argus_replicating',
    'argus_roles_epoch',
    'argus_run_silent_timestamp',
    'argus_runs_ended_total',
    'argus_verdict_changes_total',
    'process_start_time_seconds',
  ]);
});
