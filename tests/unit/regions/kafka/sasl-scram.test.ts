import { describe, expect, test } from 'vitest';
import { scramClient } from '../../../../regions/kafka/sasl-scram.ts';

/** RFC 7677 §3. */
const sample = {
  hash: 'sha256',
  username: 'user',
  password: 'pencil',
  nonce: 'rOprNGfwEbeRWgbNEkqO',
} as const;
const joined = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const serverFirst = Buffer.from(`r=${joined},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`);

describe('SCRAM', () => {
  test('computes the messages of the example in RFC 7677', async () => {
    const client = scramClient(sample);
    expect(client.first.toString()).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    const final = await client.final(serverFirst);
    expect(final.toString()).toBe(`c=biws,r=${joined},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`);
    expect(() => client.verify(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))).not.toThrow();
  });

  test('does not believe a server that cannot prove that it knows the password', async () => {
    const client = scramClient(sample);
    await client.final(serverFirst);
    for (const last of ['v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'v=', '', 'e=invalid-proof'])
      expect(() => client.verify(Buffer.from(last))).toThrow(expect.objectContaining({ code: 'KafkaDenied' }));
  });

  test.each([
    ['a nonce that is not ours', 'r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
    ['our nonce without its own part', `r=${sample.nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
    ['too few iterations', `r=${joined},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1`],
    ['so many iterations that we would hang', `r=${joined},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000`],
    ['no salt', `r=${joined},i=4096`],
    ['nothing at all', ''],
  ])('refuses a server that sends %s', async (_what, message) => {
    await expect(scramClient(sample).final(Buffer.from(message))).rejects.toMatchObject({ code: 'KafkaMalformed' });
  });

  test('escapes what would end a name', () => {
    const { first } = scramClient({ ...sample, username: 'a=b,c=d' });
    expect(first.toString()).toBe(`n,,n=a=3Db=2Cc=3Dd,r=${sample.nonce}`);
  });
});
