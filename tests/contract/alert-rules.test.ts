import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
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
});
