import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kafkaEndpoint } from '../../../cli/compose.ts';
import { parseConfig } from '../../../cli/config/parse.ts';
import { sampleWith } from './sample-config.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-test-endpoint-'));
  await writeFile(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----\n');
  await writeFile(join(folder, 'empty.pem'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The Kafka settings of the sample's first region, with more lines under `kafka:`. */
function kafkaWith(lines: readonly string[]) {
  const bootstrap = '      bootstrap: [127.0.1.1:19092]';
  const yaml = sampleWith(bootstrap, [bootstrap, ...lines.map((l) => `      ${l}`)].join('\n'));
  const kafka = parseConfig(yaml, 'argus.yaml').regions.mumbai?.kafka;
  if (!kafka) throw new Error('the sample has no mumbai');
  return kafka;
}
const secret = async (reference: string) => `value of ${reference}`;
const resolved = (lines: readonly string[]) => kafkaEndpoint('mumbai', kafkaWith(lines), folder, secret);

test('a region without tls and sasl is spoken to without', async () => {
  expect(await resolved([])).toEqual({ name: 'mumbai', bootstrap: ['127.0.1.1:19092'] });
});

test('files are read from the configuration`s folder, secrets by their references', async () => {
  const login = 'sasl: { mechanism: SCRAM-SHA-512, username: mirror, password: env:PASSWORD }';
  const endpoint = await resolved(['tls: { ca: ca.pem, cert: ca.pem, key: file:key.pem }', login]);
  expect(endpoint.security?.tls).toMatchObject({ ca: '-----BEGIN CERTIFICATE-----\n', key: 'value of file:key.pem' });
  expect(endpoint.security?.sasl).toEqual({
    mechanism: 'SCRAM-SHA-512',
    username: 'mirror',
    password: 'value of env:PASSWORD',
  });
});

test.each([
  [
    'a CA file that is missing',
    'tls: { ca: absent.pem }',
    /kafka\.tls\.ca: the file .*absent\.pem can't be read \(ENOENT\)/,
  ],
  ['a CA file without a certificate', 'tls: { ca: empty.pem }', /holds no certificate/],
])('refuses %s, with exit code 2', async (_what, line, message) => {
  await expect(resolved([line])).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
});

test.each([
  ['a certificate without its key', 'tls: { cert: ca.pem }', /cert and key are needed together/],
  [
    'a password that everybody on the way can read',
    'sasl: { mechanism: PLAIN, username: mirror, password: env:PASSWORD }',
    /PLAIN without TLS shows the password/,
  ],
  ['a password in the file', 'sasl: { mechanism: PLAIN, username: mirror, password: secret }', /a reference/],
  ['a mechanism that it does not know', 'sasl: { mechanism: GSSAPI, username: m, password: env:P }', /mechanism/],
  ['a key that it does not know', 'tls: { cafile: ca.pem }', /unknown key "cafile"/],
])('refuses %s', (_what, line, message) => {
  expect(() => kafkaWith([line])).toThrow(message);
});

test('takes PLAIN without TLS when that is asked for by name', () => {
  const line = 'sasl: { mechanism: PLAIN, username: mirror, password: env:PASSWORD, allowPlaintextPassword: true }';
  expect(kafkaWith([line]).sasl?.mechanism).toBe('PLAIN');
});
