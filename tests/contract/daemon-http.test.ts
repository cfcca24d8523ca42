import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listAttempts } from '../../state/attempts.ts';
import { type DarkDaemon, startDarkDaemon } from '../support/dark-daemon.ts';
import { secretsBelow, secretsIn } from '../support/secret-scan.ts';

const secrets = {
  S3_ID: 'access-key-of-mumbai',
  S3_KEY: 'secret-key-of-both-regions',
  DNS_TOKEN: 'token-of-the-zone',
  ACT: 'token-of-alertmanager',
  READ: 'token-of-a-reader',
};
let daemon: DarkDaemon;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'argus-http-'));
  writeFileSync(join(folder, 'read'), `${secrets.READ}\n`);
  const more = `daemon:
  port: 0
  http: { tokens: { read: ["file:${join(folder, 'read')}"], act: env:ACT } }
alerts:
  rules:
    - { match: { alertname: PrimaryDown }, do: act }
    - { match: { alertname: KafkaDown }, do: propose }
    - { match: { alertname: /.*/ }, do: check }
`;
  const { READ: _, ...env } = secrets;
  daemon = await startDarkDaemon(more, env);
});
afterAll(async () => {
  await daemon?.remove();
  if (folder) rmSync(folder, { recursive: true });
});

const get = (path: string, token: string = secrets.READ) =>
  fetch(`${daemon.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
const alert = (alertname: string, token: string = secrets.ACT) =>
  fetch(`${daemon.url}/api/v1/alerts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      version: '4',
      groupKey: `{}:{alertname="${alertname}"}`,
      status: 'firing',
      receiver: 'argus',
      alerts: [{ status: 'firing', labels: { alertname }, annotations: {}, fingerprint: alertname }],
    }),
  });

test('a daemon after a failover shows both regions as they are, to who has the token', async () => {
  expect((await fetch(daemon.url)).status).toBe(401);
  expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
  await expect.poll(async () => (await get('/api/v1/status')).status).toBe(200);
  const status = (await (await get('/api/v1/status')).json()) as { roles: object; healthy: boolean };
  expect(status).toMatchObject({ healthy: false, roles: { primary: 'singapore', replication: 'suspended', epoch: 2 } });
  expect(await (await get('/')).text()).toContain('singapore is the primary, and not well');
  expect(await (await get('/readyz')).json()).toEqual({ ok: true });
});

test("Alertmanager's alerts are looked into, and never act by themselves", async () => {
  expect((await alert('DiskFull', secrets.READ)).status).toBe(403);
  expect((await alert('DiskFull', 'wrong')).status).toBe(401);
  const checked = (await (await alert('DiskFull')).json()) as object;
  expect(checked).toMatchObject({ action: 'check', result: 'checked', status: { roles: { primary: 'singapore' } } });
  expect(await (await alert('PrimaryDown')).json()).toMatchObject({ result: 'not-begun' });
  expect(await listAttempts(daemon.state, 5)).toMatchObject([{ by: 'Alertmanager', what: 'failover on an alert' }]);
  const proposal = await (await alert('KafkaDown')).json();
  expect(proposal).toMatchObject({
    result: 'proposed',
    proposal: { command: expect.stringMatching(/^argus failover/) },
  });
  expect(proposal).toMatchObject({ proposal: { blockers: [expect.objectContaining({ code: expect.any(String) })] } });
  expect(await (await alert('KafkaDown')).json()).toMatchObject({ result: 'repeat' });
  expect(await (await get('/metrics')).text()).toContain('argus_alerts_received_total{answer="proposed"} 1');
});

test('none of its secrets stands in what it serves, says or keeps', async () => {
  for (const path of ['/', '/metrics', '/healthz', '/api/v1/status', '/api/v1/runs', '/api/v1/openapi.json'])
    expect(secretsIn(secrets, await (await get(path)).text()), path).toEqual([]);
  expect(secretsIn(secrets, daemon.output())).toEqual([]);
  expect(secretsBelow(secrets, daemon.stateFolder)).toEqual([]);
});

test('ends at once when it is asked to, whoever listens', async () => {
  const listener = await get('/api/v1/events?page=1');
  expect(listener.status).toBe(200);
  const { ms, exitCode } = await daemon.stop();
  expect(exitCode).toBe(0);
  expect(ms).toBeLessThan(20_000);
  await listener.body?.cancel().catch(() => undefined);
});
