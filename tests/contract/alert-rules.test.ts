import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { plans } from '../../deploy/grafana/render.ts';
import { alertingTools } from '../support/alerting-tests.ts';

const run = promisify(execFile);
const found = await alertingTools();
const title =
  found.kind === 'there' ? 'the alert rules' : `the alert rules (skipped, they need promtool: ${found.why})`;

describe.skipIf(found.kind === 'missing')(title, () => {
  const promtool = found.kind === 'there' ? found.tools.promtool : '';
  const amtool = found.kind === 'there' ? found.tools.amtool : '';

  test('fire and end as they say, with the real time that each waits', async () => {
    const { stdout } = await run(promtool, ['test', 'rules', 'deploy/prometheus/argus-rules.test.yaml'], {
      timeout: 50_000,
    });
    expect(stdout).toContain('SUCCESS');
  });

  test('are rules, and samples of configurations are such', async () => {
    const options = { timeout: 10_000 };
    const rules = await run(
      promtool,
      ['check', 'rules', '--lint=all', '--lint-fatal', 'deploy/prometheus/argus-rules.yaml'],
      options,
    );
    expect(rules.stdout).toContain('SUCCESS');
    const config = await run(
      promtool,
      ['check', 'config', '--syntax-only', 'deploy/prometheus/prometheus.yaml'],
      options,
    );
    expect(config.stdout).toContain('SUCCESS');
    const routes = await run(amtool, ['check-config', 'deploy/alertmanager/alertmanager.yaml'], options);
    expect(routes.stdout).toContain('SUCCESS');
  });

  test.each([
    ['severity=critical argus_action=propose', 'argus,pagerduty,slack'],
    ['severity=warning argus_action=check', 'argus,slack'],
    ['severity=critical', 'pagerduty,slack'],
    ['severity=info', 'tickets'],
  ])('with %s go to %s', async (labels, receivers) => {
    const file = '--config.file=deploy/alertmanager/alertmanager.yaml';
    const { stdout } = await run(amtool, ['config', 'routes', 'test', file, ...labels.split(' ')], { timeout: 5_000 });
    expect(stdout.trim()).toBe(receivers);
  });

  test('dashboards ask for what Prometheus can read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'argus-test-dashboards-'));
    try {
      const asked = plans.flatMap((p) => p.rows.flatMap((r) => r.panels.flatMap((panel) => panel.queries)));
      const rules = asked.map(({ expr }, i) => ({
        record: `panel_${i}`,
        expr: expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$\w+/g, '.*'),
      }));
      await writeFile(join(folder, 'panels.yaml'), stringify({ groups: [{ name: 'panels', rules }] }));
      const { stdout } = await run(promtool, ['check', 'rules', join(folder, 'panels.yaml')], { timeout: 10_000 });
      expect(stdout).toContain(`${asked.length} rules found`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
