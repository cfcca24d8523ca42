import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPublicKey, readSecretKey, signatureFault, signBytes } from '../../../../drills/report/seal/minisign.ts';
import { sealJson, sealText } from '../../../../drills/report/seal/seal.ts';
import { stateFault, verifyFile } from '../../../../drills/report/seal/verify.ts';
import { inspectLinkedRun, inspectRun } from '../../../../state/journal.ts';
import { modelOf, startMs, writeRun } from './sample-runs.ts';

// Made by minisign 0.11 (`minisign -G -W`; then `minisign -S` of the file whose content is "a report\n").
const publicKey = 'RWR+WqJVamufxtcraVelSqBj1VSvLlvvpvLQxGEDp7Xw9riOkUGerFfM';
const pair = generateKeyPairSync('ed25519');
const key = readSecretKey(pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
const pub = readPublicKey(pair.publicKey.export({ format: 'pem', type: 'spki' }).toString());

const { state, run } = await writeRun();
const model = await modelOf(state, run);
const { entries, head } = model.journal;
const journal = { run, entries, ...(head === undefined ? {} : { head }) };
const files = {
  json: Buffer.from(sealJson(model, key, 'a comment')),
  html: Buffer.from(sealText('<p>Singapur übernimmt</p>', journal, key, 'a comment')),
  'html without signature': Buffer.from(sealText('<p>x</p>', journal, undefined, '')),
  'json without signature': Buffer.from(sealJson(model, undefined, '')),
};
const signed = ['json', 'html'] as const;

test.each(signed)('%s is whole, signed, and its journal’s hashes are computed anew', (form) => {
  expect(verifyFile(files[form], { key: pub })).toMatchObject({
    ...{ kind: 'whole', run, entries: 14, head: { seq: 14 } },
    signature: { kind: 'good', comment: 'a comment' },
  });
  expect(verifyFile(files[form], {})).toMatchObject({ kind: 'whole', signature: { kind: 'unchecked' } });
});

test.each(signed)('any changed, missing or added byte of %s is found', (form) => {
  const file = files[form];
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const other = Buffer.from(file);
      other[at] = (other[at] ?? 0) ^ by;
      return verifyFile(other, { key: pub }).kind === 'changed';
    }),
    { numRuns: 1_500 },
  );
  for (const other of [file.subarray(0, -1), Buffer.concat([file, Buffer.from('\n')]), file.subarray(1)])
    expect(verifyFile(other, { key: pub }).kind).toBe('changed');
});

test('every byte of the seal itself counts', () => {
  for (const form of signed) {
    const file = files[form];
    for (let at = file.length - 420; at < file.length; at++) {
      const other = Buffer.from(file);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(verifyFile(other, { key: pub }).kind, `${form}, byte ${at}`).toBe('changed');
    }
  }
});

test('unsigned files are whole and signed by nobody; where a key is given that is not enough', () => {
  for (const form of ['html without signature', 'json without signature'] as const) {
    expect(verifyFile(files[form], {})).toMatchObject({ kind: 'whole', signature: { kind: 'none' }, entries: 14 });
    expect(verifyFile(files[form], { key: pub })).toMatchObject({ kind: 'changed' });
    for (const nothing of ['', '\n'])
      expect(verifyFile(files[form], { key: pub, detached: nothing })).toMatchObject({ kind: 'changed' });
    const detached = signBytes(files[form], key, 'beside');
    expect(verifyFile(files[form], { key: pub, detached })).toMatchObject({
      signature: { kind: 'good', comment: 'beside' },
    });
  }
});

test('another’s signature is told by the keys’ ids, and a journal that was made anew by its hashes', () => {
  const other = readPublicKey(publicKey);
  expect(verifyFile(files.html, { key: other })).toMatchObject({
    why: expect.stringContaining('not with C69F6B6A55A25A7E'),
  });
  const forged = structuredClone(entries) as { fact: { by?: string } }[];
  forged[0]!.fact.by = 'somebody else';
  const file = Buffer.from(sealText('<p>x</p>', { ...journal, entries: forged }, key, 'c'));
  expect(verifyFile(file, { key: pub })).toMatchObject({
    why: expect.stringContaining('entry 1 of the journal inside'),
  });
});

test('a state whose journal was cut off or changed tells another story', async () => {
  const there = await inspectRun(state, run);
  expect(stateFault({ ...(head && { head }) }, there)).toBeUndefined();
  expect(stateFault({ head: { seq: 14, sha256: '0'.repeat(64) } }, there)).toContain('another hash');
  expect(stateFault({ head: { seq: 15, sha256: '0'.repeat(64) } }, there)).toContain('no entry 15');
});

test('a journal whose end was cut off or written anew is told by what the next run noted of it', async () => {
  const { state: own, run: cut } = await writeRun();
  const { run: next } = await writeRun({ state: own, atMs: startMs + 60_000 });
  const whole = await modelOf(own, cut);
  expect(whole.journal.fault).toBeUndefined();
  await own.delete((await own.list(`journal/${cut}/`)).objects.at(-1)?.key ?? '');
  const { fault } = (await modelOf(own, cut)).journal;
  expect(fault).toMatchObject({ run: cut, seq: 14, why: `it was another when ${next} began` });
  const there = await inspectLinkedRun(own, cut);
  const last = there.entries.at(-1);
  expect(stateFault({ head: { seq: 13, sha256: last?.sha256 ?? '' } }, there)).toContain('entry 14');
  expect((await modelOf(own, next)).journal.fault).toBeUndefined();
});

test('reads what minisign wrote', () => {
  const minisig = [
    'untrusted comment: signature from minisign secret key',
    'RUR+WqJVamufxjG7swMddNp1dymhcKi/onhaHsPl6pZoRohRaMpAQR5ubyeCM7RYYgnj/9nUKIuNkqY4EtmOMK2xAA/0y7FMGgo=',
    'trusted comment: monthly drill',
    'kmOgFypliAsgaenxsWlPFvQzlz5qK4toUa62aoKkOSdmWK5xDtM0T473Uu5CCBMrqzhr5YB2iLLV5ec4W84FDg==',
    '',
  ].join('\n');
  expect(signatureFault(Buffer.from('a report\n'), minisig, readPublicKey(publicKey))).toBeUndefined();
  expect(signatureFault(Buffer.from('a report'), minisig, readPublicKey(publicKey))).toContain('changed');
  expect(
    signatureFault(Buffer.from('a report\n'), minisig.replace('monthly', 'yearly'), readPublicKey(publicKey)),
  ).toContain('comment');
});

test.each(['', 'RWQ', 'nonsense', '-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----'])(
  '%j is no key',
  (text) => {
    expect(() => readPublicKey(text)).toThrow(expect.objectContaining({ code: 'KeyUnusable', exitCode: 2 }));
    expect(() => readSecretKey(text)).toThrow(expect.objectContaining({ code: 'KeyUnusable', exitCode: 2 }));
  },
);
