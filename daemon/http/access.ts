import { createHash, timingSafeEqual } from 'node:crypto';
import type { Problem } from './problem.ts';
import type { RouteAccess } from './route.ts';

export type Right = 'none' | 'read' | 'act';

/** What the daemon demands of whoever asks. Secrets are here as values: never print one of these. */
export interface AccessSettings {
  readonly readTokens: readonly string[];
  readonly actTokens: readonly string[];
  /** Certificates of clients are checked. */
  readonly clientCertificates: boolean;
  /** Common names that a client's certificate may have; absent: any. */
  readonly clientNames?: readonly string[];
  /** What a client sends can be read on the way by others: no TLS, and not only this machine reaches the port. */
  readonly readableOnTheWay: boolean;
}

/** Who asks, as far as his request tells. */
export interface Credentials {
  /** `Authorization` */
  readonly authorization: string | undefined;
  /** The common name of a certificate that the configured authority signed; absent: none was shown. */
  readonly certificate?: string;
  /** `Origin`: a browser sends it with what another site's page asks for. */
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Whether a text is one of the tokens. Takes as long whether or not, and wherever, it differs. */
function isOneOf(given: string, tokens: readonly string[]): boolean {
  const hash = digest(given);
  let found = false;
  for (const token of tokens) found = timingSafeEqual(hash, digest(token)) || found;
  return found;
}

/** The token in `Authorization: Bearer …`, or the password in `Basic …`, which browsers ask for. Source: RFC 6750, RFC 7617. */
function tokenIn(
  authorization: string | undefined,
): { readonly scheme: 'bearer' | 'basic'; readonly token: string } | undefined {
  const [, scheme = '', value = ''] = /^(bearer|basic) +([\x21-\x7e]+) *$/i.exec(authorization ?? '') ?? [];
  if (scheme === '') return undefined;
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', token: value };
  const text = Buffer.from(value, 'base64').toString('utf8');
  return { scheme: 'basic', token: text.slice(text.indexOf(':') + 1) };
}

/** What a client may do, by what it shows. */
export function rightOf(settings: AccessSettings, credentials: Credentials): Right {
  const { clientNames } = settings;
  const shown = credentials.certificate;
  if (settings.clientCertificates && shown !== undefined && (clientNames?.includes(shown) ?? true)) return 'act';
  const given = tokenIn(credentials.authorization);
  // Both lists are gone through, whichever it is in.
  const acts = given !== undefined && isOneOf(given.token, settings.actTokens);
  const reads = given !== undefined && isOneOf(given.token, settings.readTokens);
  return acts ? 'act' : reads ? 'read' : 'none';
}

/** Why a request is not served; undefined: it is. Pure but for the hashes. */
export function refusal(settings: AccessSettings, access: RouteAccess, credentials: Credentials): Problem | undefined {
  if (access === 'open') return undefined;
  const right = rightOf(settings, credentials);
  if (access === 'read') {
    if (settings.readTokens.length === 0 || right !== 'none') return undefined;
    return { status: 401, code: 'TokenNeeded', message: 'reading needs a token of daemon.http.tokens.read' };
  }
  if (settings.actTokens.length === 0 && !settings.clientCertificates) {
    const message = 'this endpoint is off: neither daemon.http.tokens.act nor daemon.http.tls.clientCa is configured';
    return { status: 403, code: 'EndpointOff', message };
  }
  if (settings.readableOnTheWay) {
    const message =
      'this endpoint is off without TLS where other machines reach it: configure daemon.http.tls, or daemon.http.plaintext behind a proxy that has TLS';
    return { status: 403, code: 'TlsNeeded', message };
  }
  if (right === 'none') {
    const message = 'this endpoint needs a token of daemon.http.tokens.act, or a client certificate';
    return { status: 401, code: 'TokenNeeded', message };
  }
  if (right === 'read') {
    return {
      status: 403,
      code: 'TokenOnlyReads',
      message: 'this token may only read: use one of daemon.http.tokens.act',
    };
  }
  if (credentials.origin !== undefined && originHost(credentials.origin) !== credentials.host) {
    return { status: 403, code: 'ForeignOrigin', message: "a page of another site can't ask for this" };
  }
  return undefined;
}

function originHost(origin: string): string | undefined {
  return URL.parse(origin)?.host;
}

/** Whether only this machine reaches what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
