import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ArgusError } from '../../../domain/errors.ts';

// Keys and signatures as minisign has them (its manual page, "Signature format", "Public key format", "Secret key
// format"): Ed25519, over the BLAKE2b-512 of the file (algorithm `ED`), and a second signature over that and the
// trusted comment. Integers are little endian; key ids are shown as minisign shows them.

/** Who can be believed to have signed. */
export interface PublicKey {
  /** Eight bytes. */
  readonly id: Buffer;
  readonly key: KeyObject;
}

/** Who signs. */
export interface SecretKey extends PublicKey {
  readonly secret: KeyObject;
}

const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex');
const untrusted = 'untrusted comment: signature of a report of Argus';

const bad = (message: string, hint: string) => new ArgusError('KeyUnusable', message, { exitCode: 2, hint });
const publicOf = (raw: Buffer) => createPublicKey({ key: Buffer.concat([spkiHead, raw]), format: 'der', type: 'spki' });
const rawOf = (key: KeyObject) => key.export({ format: 'der', type: 'spki' }).subarray(spkiHead.length);
/** Keys in PEM have no id: theirs is the begin of their hash. */
const idOf = (key: KeyObject) => createHash('sha256').update(rawOf(key)).digest().subarray(0, 8);

/** A key's id as minisign prints it. Pure. */
export const keyIdText = ({ id }: Pick<PublicKey, 'id'>): string =>
  Buffer.from(id).reverse().toString('hex').toUpperCase();

/** The last line of base64 that is not a comment; undefined where it is no canonical base64. */
function payload(text: string): Buffer | undefined {
  const line = text
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l !== '' && !l.startsWith('untrusted comment:'))[0];
  return line === undefined ? undefined : base64(line);
}

function base64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** A public key from minisign's file or its second line, or from PEM. `KeyUnusable`, exit code 2. */
export function readPublicKey(text: string): PublicKey {
  const hint = 'give the line of a minisign public key that begins with RW, its file, or an Ed25519 key in PEM';
  if (text.includes('-----BEGIN')) {
    const key = pem(() => createPublicKey(text), hint);
    return { id: idOf(key), key };
  }
  const bytes = payload(text);
  if (bytes?.length !== 42 || bytes.toString('latin1', 0, 2) !== 'Ed')
    throw bad('that is no public key of minisign', hint);
  return { id: bytes.subarray(2, 10), key: publicOf(bytes.subarray(10)) };
}

/** A secret key from minisign's file, made without password (`minisign -G -W`), or from PKCS#8 PEM. `KeyUnusable`, exit code 2. */
export function readSecretKey(text: string): SecretKey {
  const hint = 'make one with `minisign -G -W`, or with `openssl genpkey -algorithm ed25519`';
  if (text.includes('-----BEGIN')) {
    const secret = pem(() => createPrivateKey(text), hint);
    const key = createPublicKey(secret);
    return { id: idOf(key), key, secret };
  }
  const bytes = payload(text);
  if (bytes?.length !== 158 || bytes.toString('latin1', 0, 2) !== 'Ed')
    throw bad('reports.key is no secret key of minisign', hint);
  if (bytes.readUInt16LE(2) !== 0)
    throw bad('reports.key is protected by a password, which nobody could type here', hint);
  const [id, seed, raw] = [bytes.subarray(54, 62), bytes.subarray(62, 94), bytes.subarray(94, 126)];
  const secret = createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: 'der', type: 'pkcs8' });
  const key = createPublicKey(secret);
  if (!rawOf(key).equals(raw)) throw bad('reports.key is damaged: its two halves do not belong together', hint);
  return { id, key, secret };
}

function pem(read: () => KeyObject, hint: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new ArgusError('KeyUnusable', 'that is no key in PEM that can be read', { cause, exitCode: 2, hint });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw bad(`that is a key for ${key.asymmetricKeyType ?? 'something else'}, not Ed25519`, hint);
  return key;
}

/** A signature file's text, four lines with a line break each. `comment` is signed, too, and has no line break. */
export function signBytes(bytes: Uint8Array, key: SecretKey, comment: string): string {
  const own = sign(null, hashOf(bytes), key.secret);
  const line = Buffer.concat([Buffer.from('ED'), key.id, own]).toString('base64');
  const global = sign(null, Buffer.concat([own, Buffer.from(comment)]), key.secret);
  return `${untrusted}\n${line}\ntrusted comment: ${comment}\n${global.toString('base64')}\n`;
}

/** What a signature's text says of itself; undefined where it is none. Nothing of it is believed yet. Pure. */
export function readSignature(text: string): { readonly id: Buffer; readonly comment: string } | undefined {
  const parts = partsOf(text);
  return parts && { id: parts.id, comment: parts.comment };
}

function partsOf(text: string) {
  const lines = text.split('\n');
  const [first = '', second = '', third = '', fourth = '', end] = lines;
  if (lines.length !== 5 || end !== '' || !first.startsWith('untrusted comment: ')) return undefined;
  if (!third.startsWith('trusted comment: ')) return undefined;
  const [own, global] = [base64(second), base64(fourth)];
  if (own?.length !== 74 || global?.length !== 64) return undefined;
  const algorithm = own.toString('latin1', 0, 2);
  return { algorithm, id: own.subarray(2, 10), own: own.subarray(10), comment: third.slice(17), global };
}

/** Why a signature doesn't hold for these bytes and this key; undefined: it holds. */
export function signatureFault(bytes: Uint8Array, text: string, key: PublicKey): string | undefined {
  const parts = partsOf(text);
  if (parts === undefined) return 'that is no signature of minisign';
  if (!parts.id.equals(key.id)) return `it is signed with key ${keyIdText(parts)}, not with ${keyIdText(key)}`;
  if (parts.algorithm !== 'ED' && parts.algorithm !== 'Ed') return `its algorithm is ${parts.algorithm}`;
  const message = parts.algorithm === 'ED' ? hashOf(bytes) : bytes;
  if (!verify(null, message, key.key, parts.own)) return 'the signature is another file’s: something was changed';
  const said = Buffer.concat([parts.own, Buffer.from(parts.comment)]);
  return verify(null, said, key.key, parts.global) ? undefined : 'its trusted comment was changed';
}

const hashOf = (bytes: Uint8Array) => createHash('blake2b512').update(bytes).digest();

/** Whether a signature's text is exactly as `signBytes` writes it: where it stands inside a file, no byte of it is free. Pure. */
export const asWritten = (text: string): boolean =>
  text.startsWith(`${untrusted}\n`) && partsOf(text)?.algorithm === 'ED';
