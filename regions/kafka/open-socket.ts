import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { KafkaTls } from './kafka-security.ts';
import type { BrokerAddress } from './metadata.ts';

const readBytes = 256 * 1024;

/**
 * Begins a connection, over TLS when settings are given; `ready` is told once bytes may be sent. What arrives comes
 * through one reused buffer, decrypted: `receive` must copy what it keeps.
 */
export function openSocket(
  address: BrokerAddress,
  tls: KafkaTls | undefined,
  receive: (bytes: Buffer) => void,
  ready: () => void,
): Socket {
  const onread = {
    buffer: Buffer.allocUnsafe(readBytes),
    callback: (length: number, buffer: Uint8Array) => {
      receive(Buffer.from(buffer.buffer, buffer.byteOffset, length));
      return true;
    },
  };
  if (!tls) return connect({ ...address, noDelay: true, keepAlive: true, onread }, ready);
  const { ca, cert, key, servername } = tls;
  const name = servername ?? (isIP(address.host) ? undefined : address.host);
  // The types of `tls` leave out that it hands `onread` on to `net`.
  const options: ConnectionOptions & { readonly onread: typeof onread } = {
    ...address,
    onread,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(name !== undefined && { servername: name }),
  };
  const socket = connectTls(options, ready);
  socket.setNoDelay(true);
  socket.setKeepAlive(true);
  return socket;
}
