// Writes the dashboards beside this file: `node deploy/grafana/render.ts` (Node 24), after a change of their plans.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { overview } from './overview.ts';
import { type DashboardPlan, dashboardOf } from './panels.ts';
import { replication } from './replication.ts';

/** Every dashboard's plan. */
export const plans: readonly DashboardPlan[] = [overview, replication];

/** The text of a dashboard's file, `<uid>.json`. */
export function dashboardText(plan: DashboardPlan): string {
  return `${JSON.stringify(dashboardOf(plan), null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const plan of plans)
    await writeFile(fileURLToPath(new URL(`${plan.uid}.json`, import.meta.url)), dashboardText(plan));
}
