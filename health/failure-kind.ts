import { ArgusError } from '../domain/errors.ts';

/**
 * What a failed call shows of the other side. `failed`: it was heard, and what it did is bad: it refused the connection,
 * hung up, or answered wrongly. `unknown`: nothing came from it, or it was never asked: silence, no route, no address, or
 * trouble of this machine's own.
 */
export type FailureKind = 'failed' | 'unknown';

/** Source: errno(3), libuv; c-ares (`ETIMEOUT` …); undici (`UND_ERR_…`); Node's `ERR_SOCKET_CONNECTION_TIMEOUT`. */
const silence: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'ETIMEOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENONET',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
  'ENOTFOUND',
  'ENODATA',
  'ECANCELLED',
  'ECANCELED',
  'ECONNABORTED',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
  'EAGAIN',
  'EINTR',
  'ABORT_ERR',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_ABORTED',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ERR_TLS_HANDSHAKE_TIMEOUT',
]);

/** The other side was there to say it. Source: as above; c-ares' answers of a DNS server. */
const heard: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EPROTO',
  'ENOTCONN',
  'ESERVFAIL',
  'EREFUSED',
  'EFORMERR',
  'ENOTIMP',
  'EBADRESP',
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RESPONSE_STATUS_CODE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);
/** HTTP that can't be parsed, TLS that fails, a certificate that isn't trusted. */
const heardPrefixes = ['HPE_', 'ERR_SSL_', 'ERR_OSSL_', 'ERR_TLS_CERT_', 'CERT_'];

const deepest = 8;

/**
 * What any error, however clients wrapped it, shows. Pure, never by the text of a message. Of several causes (addresses
 * of a name, brokers of a list) one that was heard counts, since silence elsewhere doesn't take that back.
 */
export function failureKind(error: unknown): FailureKind {
  const signs = signsOf(error, 0);
  if (signs.includes('heard')) return 'failed';
  if (signs.includes('silence')) return 'unknown';
  // Of an answer: adapters tell the absence of one as `…Unreachable`.
  return error instanceof ArgusError && !error.code.endsWith('Unreachable') ? 'failed' : 'unknown';
}

type Sign = 'heard' | 'silence';

function signsOf(error: unknown, depth: number): readonly Sign[] {
  if (typeof error !== 'object' || error === null || depth > deepest) return [];
  const { code, name, errors, cause } = error as Record<string, unknown>;
  const nested = [...(Array.isArray(errors) ? errors : []), cause].flatMap((e) => signsOf(e, depth + 1));
  if (error instanceof ArgusError && error.heard !== undefined) return [error.heard ? 'heard' : 'silence', ...nested];
  if (typeof code === 'string') {
    // Before the name: the SDK of S3 calls also a reset connection a `TimeoutError`.
    if (silence.has(code)) return ['silence', ...nested];
    if (heard.has(code) || heardPrefixes.some((p) => code.startsWith(p))) return ['heard', ...nested];
  }
  // undici, of what is no HTTP; it has no code.
  if (name === 'HTTPParserError') return ['heard', ...nested];
  return name === 'TimeoutError' || name === 'AbortError' ? ['silence', ...nested] : nested;
}
