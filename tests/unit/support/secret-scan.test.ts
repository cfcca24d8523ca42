import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { secretsBelow, secretsIn } from '../../support/secret-scan.ts';

const secrets = { PASSWORD: 's3cr"t/+word', SHORT: 'ab' };

it.each([
  ['as it is', `x ${secrets.PASSWORD} y`],
  ['in JSON', JSON.stringify({ a: secrets.PASSWORD })],
  ['in a URL', `http://h/?p=${encodeURIComponent(secrets.PASSWORD)}`],
  ['in base64', `Basic ${Buffer.from(secrets.PASSWORD).toString('base64')}`],
])('a secret is found %s', (_, text) => expect(secretsIn(secrets, text)).toEqual(['PASSWORD']));

it('what is none is not found', () => expect(secretsIn(secrets, 'ab s3cr t')).toEqual([]));

it('a file is named, not what it holds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'argus-scan-'));
  try {
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a', 'log'), `before ${secrets.PASSWORD}`);
    writeFileSync(join(folder, 'b'), 'nothing');
    expect(secretsBelow(secrets, folder)).toEqual(['PASSWORD in a/log']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
