import { connect } from 'node:net';
import { hostPort } from '../lab-info.ts';

/** ApiVersions v0, correlation id 1, no client id. Source: Kafka protocol, request header v1. */
const apiVersions = Buffer.from('0000000a' + '0012' + '0000' + '00000001' + 'ffff', 'hex');

/** Whether a broker answers a request at `host:port`; rejects when the connection fails or the signal ends it. */
export function askKafka(address: string, signal: AbortSignal): Promise<boolean> {
  const { host, port } = hostPort(address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const late = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    if (signal.aborted) return late();
    signal.addEventListener('abort', late, { once: true });
    socket.once('connect', () => socket.write(apiVersions));
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      signal.removeEventListener('abort', late);
      reject(new Error('closed without an answer'));
    });
  });
}
