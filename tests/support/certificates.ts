import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly name: string;
}

export interface CertificateOptions {
  /** Absent: it signs itself, and may sign others. */
  readonly signedBy?: Certificate;
  /** DNS names and IPv4 addresses that it is for. */
  readonly names?: readonly string[];
  readonly notAfter?: Date;
}

/** Makes a certificate for tests: X.509 v3, P-256, ECDSA with SHA-256. Source: RFC 5280, RFC 5480, RFC 5758. */
export function makeCertificate(name: string, options: CertificateOptions = {}): Certificate {
  const { signedBy, names = [], notAfter = new Date(Date.now() + 86_400_000) } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer: KeyObject = signedBy ? createPrivateKey(signedBy.key) : privateKey;
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const alternatives = names.map((n) =>
    isIPv4(n) ? tagged(0x87, Buffer.from(n.split('.').map(Number))) : tagged(0x82, Buffer.from(n)),
  );
  const extensions = [
    extension('551d13', sequence(...(signedBy ? [] : [tagged(0x01, Buffer.of(0xff))]))),
    ...(alternatives.length > 0 ? [extension('551d11', sequence(...alternatives))] : []),
  ];
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(0x01), randomBytes(8)])),
    ecdsaWithSha256,
    distinguishedName(signedBy?.name ?? name),
    sequence(time(new Date(Date.now() - 3 * 86_400_000)), time(notAfter)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = tagged(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, signer)]));
  const der = sequence(body, ecdsaWithSha256, signature).toString('base64');
  const lines = der.match(/.{1,64}/g)?.join('\n');
  return {
    name,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(commonName)))));
}

function time(date: Date): Buffer {
  return tagged(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

function extension(hex: string, value: Buffer): Buffer {
  return sequence(oid(hex), tagged(0x04, value));
}
