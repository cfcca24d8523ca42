import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ArgusError } from '../../domain/errors.ts';

/**
 * The client's side of SCRAM: three messages, of which the last proves that the server knows the password as well.
 * Without channel binding (`n,,`), as Kafka has it. Source: RFC 5802, RFC 7677.
 */
export interface ScramClient {
  /** `n,,n=user,r=nonce` */
  readonly first: Buffer;
  /** Answers the server's first message `r=…,s=…,i=…`. A message that breaks the rules is `KafkaMalformed`. */
  final(serverFirst: Buffer): Promise<Buffer>;
  /** Checks the server's last message `v=…`. A server that doesn't know the password is `KafkaDenied`. */
  verify(serverFinal: Buffer): void;
}

export interface ScramUser {
  readonly hash: 'sha256' | 'sha512';
  readonly username: string;
  readonly password: string;
  /** Printable, without a comma, never used twice. */
  readonly nonce: string;
}

const header = 'n,,';
/** Fewer would let whoever plays the server guess passwords fast; more would let it hold us up. Source: RFC 7677 §4. */
const iterationsAtLeast = 4_096;
const iterationsAtMost = 1_000_000;
const derive = promisify(pbkdf2);

/** One authentication; a further one needs another nonce. */
export function scramClient({ hash, username, password, nonce }: ScramUser): ScramClient {
  const hmac = (key: Buffer, data: string) => createHmac(hash, key).update(data).digest();
  const name = username.normalize('NFKC').replaceAll('=', '=3D').replaceAll(',', '=2C');
  const firstBare = `n=${name},r=${nonce}`;
  let serverSignature: Buffer | undefined;
  return {
    first: Buffer.from(header + firstBare),
    async final(serverFirst) {
      const text = serverFirst.toString('utf8');
      const fields = fieldsOf(text);
      const joined = fields.get('r') ?? '';
      const salt = Buffer.from(fields.get('s') ?? '', 'base64');
      const iterations = Number(fields.get('i'));
      if (!joined.startsWith(nonce) || joined === nonce) throw broken("the server's nonce does not continue ours");
      if (salt.length === 0) throw broken('the server gave no salt');
      if (!Number.isInteger(iterations) || iterations < iterationsAtLeast || iterations > iterationsAtMost)
        throw broken(`the server asked for ${fields.get('i')} iterations`);
      const size = createHash(hash).digest().length;
      const salted = await derive(password.normalize('NFKC'), salt, iterations, size, hash);
      const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${joined}`;
      const everything = `${firstBare},${text},${withoutProof}`;
      const clientKey = hmac(salted, 'Client Key');
      const signature = hmac(createHash(hash).update(clientKey).digest(), everything);
      const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
      serverSignature = hmac(hmac(salted, 'Server Key'), everything);
      return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
    },
    verify(serverFinal) {
      const fields = fieldsOf(serverFinal.toString('utf8'));
      const refused = fields.get('e');
      if (refused !== undefined) throw new ArgusError('KafkaDenied', `SCRAM was refused: ${refused}`, { exitCode: 2 });
      const given = Buffer.from(fields.get('v') ?? '', 'base64');
      if (!serverSignature || given.length !== serverSignature.length || !timingSafeEqual(given, serverSignature)) {
        throw new ArgusError('KafkaDenied', 'the broker could not prove that it knows the password', {
          exitCode: 2,
          hint: 'somebody may stand between: check the address, and use TLS',
        });
      }
    },
  };
}

/** `a=…,b=…`; values may hold further equals signs. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(',').map((part) => [part.slice(0, 1), part.slice(2)] as const));
}

function broken(what: string): ArgusError {
  return new ArgusError('KafkaMalformed', `SCRAM: ${what}`, {
    hint: 'check that the address belongs to a Kafka broker and that nothing on the way alters its traffic',
  });
}
