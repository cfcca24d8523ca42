import { expect, test } from 'vitest';
import { parseConfig } from '../../../../cli/config/parse.ts';
import { missingSecrets } from '../../../../cli/doctor/missing-secrets.ts';
import { sampleWith, sampleYaml } from '../sample-config.ts';

const lacking = async (text: string) =>
  (await missingSecrets(parseConfig(text, 'argus.yaml'), '/nowhere', {})).map(({ message }) => message).join('\n');

test('every reference that leads to nothing is told, once', async () => {
  const told = await lacking(sampleYaml);
  for (const name of ['MUMBAI_KEY', 'MUMBAI_SECRET', 'SINGAPORE_KEY', 'SINGAPORE_SECRET', 'CLOUDFLARE_TOKEN'])
    expect(told.split(`env:${name} `)).toHaveLength(2);
  expect(told.split('\n')).toHaveLength(5);
});

test('arguments, jars and headers that begin like a reference are none; secrets of a hook are', async () => {
  const args = sampleWith('mumbai: [--brokers, 127.0.1.1:9092]', 'mumbai: ["file:/opt/rules.json", "env:production"]');
  const hooks = `hooks:
  - { name: a, step: drain, when: before, run: [./a, "file:x"], env: { A: env:HOOK_A } }
  - name: b
    step: drain
    when: before
    http: { url: "https://hooks.example", headers: { X: "env:plain" }, secretHeaders: { Y: env:HOOK_Y } }
`;
  const told = await lacking(args.replace('jar: counts.jar', 'jar: file:/jobs/counts.jar') + hooks);
  expect(told).not.toMatch(/rules|production|file:|plain/);
  expect(told).toContain('env:HOOK_A ');
  expect(told).toContain('env:HOOK_Y ');
});
