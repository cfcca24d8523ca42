import { ArgusError } from '../../domain/errors.ts';

/** A broker that can't be reached, or does not answer; `heard` as in `ArgusErrorOptions`. */
export function unreachable(message: string, cause?: unknown, hint = reachHint, heard?: boolean): ArgusError {
  return new ArgusError('KafkaUnreachable', message, {
    hint,
    retryable: true,
    cause,
    ...(heard === undefined ? {} : { heard }),
  });
}

/** Nothing came from a broker in time. */
export const silent = (message: string): ArgusError => unreachable(message, undefined, reachHint, false);

const noTlsHint = 'there may be no TLS: take `tls` out of this region, or use the port of a TLS listener';
/** What may be wrong when a broker can't be reached. */
export const reachHint = 'check that the broker runs and that this machine reaches its advertised address';

/** What may be wrong when a broker closes a connection on which it never said anything. */
export function silentCloseHint(security: { readonly tls?: unknown; readonly sasl?: unknown } | undefined): string {
  if (security?.sasl) return reachHint;
  return security?.tls
    ? `the listener may require a login: set \`sasl\` of this region; else ${reachHint}`
    : `the listener may require TLS or a login: set \`tls\` or \`sasl\` of this region; else ${reachHint}`;
}

/** The first two bytes of a TLS alert, which is how a TLS listener answers somebody who speaks without. */
export function isTlsAlert(bytes: Buffer): boolean {
  return bytes[0] === 0x15 && bytes[1] === 0x03;
}

/** Somebody without TLS at a listener that requires it. */
export function tlsRequired(broker: string): ArgusError {
  return tlsError(
    `${broker} requires TLS`,
    'set `tls` of this region (an empty mapping trusts the well-known authorities)',
  );
}

/** What a failed TLS handshake means, or undefined when the failure is none of TLS. Codes: Node `tls`, OpenSSL. */
export function readTlsFailure(broker: string, cause: unknown): ArgusError | undefined {
  const { code = '', message = '' } = (cause ?? {}) as { code?: string; message?: string };
  if (code === 'ECONNRESET' && message.includes('before secure TLS'))
    return unreachable(`${broker} ended the connection before TLS began`, cause, `${noTlsHint}; else ${reachHint}`);
  const known = (text: string, hint: string) => tlsError(`${broker}: ${text}`, hint, cause);
  if (code === 'CERT_HAS_EXPIRED') return known("the broker's certificate has expired", 'renew it at the broker');
  if (code === 'CERT_NOT_YET_VALID') return known("the broker's certificate is not valid yet", 'check both clocks');
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const hint = 'set tls.servername of this region to a name that the certificate bears, or use such an address';
    return known(`the broker's certificate is for another name: ${message}`, hint);
  }
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED|UNABLE_TO/.test(code) && !code.startsWith('ERR_SSL')) {
    const hint = 'set tls.ca of this region to the file with the certificate of the authority that signed it';
    return known(`the broker's certificate is not trusted (${message || code})`, hint);
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return known('no TLS is spoken there', noTlsHint);
  if (/ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|CERTIFICATE_EXPIRED)/.test(code)) {
    const hint = 'set tls.cert and tls.key of this region to a certificate that the brokers trust and that is valid';
    return known(`the broker refused this client's certificate (${code.replace('ERR_SSL_', '')})`, hint);
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code.startsWith('ERR_OSSL'))
    return known(`TLS failed (${message || code})`, 'check `tls` of this region against the listener');
  return undefined;
}

function tlsError(message: string, hint: string, cause?: unknown): ArgusError {
  return new ArgusError('KafkaTls', message, { hint, cause, exitCode: 2 });
}
