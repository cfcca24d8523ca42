import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { ArgusError } from '../domain/errors.ts';

/** Until when the first certificate of a PEM text is good, in milliseconds since 1970. Throws on what is none. */
export function certificateEnd(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

/** A server whose certificate is looked at. */
export interface TlsServer {
  readonly host: string;
  readonly port: number;
  /** The name to ask for; absent: the host, where that is a name. */
  readonly servername?: string;
  /** A client's own, where the server wants one. */
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Until when the certificate is good that a TLS server shows. Whom it trusts is not looked at, since nothing is sent; an
 * expired one is read as any other. `TlsSilent`: no handshake came about.
 */
export async function serverCertificateEnd(
  server: TlsServer,
  options: { readonly signal: AbortSignal },
): Promise<number> {
  return Date.parse((await serverCertificate(server, options)).validTo);
}

/** The DNS names for which the certificate of a TLS server is good, lower case; read in the same way. */
export async function serverCertificateNames(
  server: TlsServer,
  options: { readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { subjectAltName = '' } = await serverCertificate(server, options);
  return subjectAltName
    .split(',')
    .map((entry) => entry.trim())
    .flatMap((entry) => (entry.startsWith('DNS:') ? [entry.slice(4).toLowerCase()] : []));
}

function serverCertificate(server: TlsServer, options: { readonly signal: AbortSignal }): Promise<X509Certificate> {
  const { host, port, cert, key } = server;
  const servername = server.servername ?? (isIP(host) ? undefined : host);
  return new Promise((resolve, reject) => {
    options.signal.throwIfAborted();
    const end = (settle: () => void) => {
      options.signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = () => end(() => reject(options.signal.reason));
    const socket = connect(
      {
        host,
        port,
        rejectUnauthorized: false,
        ...(servername === undefined ? {} : { servername }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      },
      () => {
        const shown = socket.getPeerX509Certificate();
        end(() => {
          if (shown) resolve(shown);
          else reject(new ArgusError('TlsSilent', `${host}:${port} shows no certificate`));
        });
      },
    );
    options.signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (cause) =>
      end(() => reject(new ArgusError('TlsSilent', `no TLS handshake with ${host}:${port}`, { cause }))),
    );
  });
}
