import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { answerQuery } from './dns-answer.ts';
import { decodeMessage, encodeMessage, flags, type Message } from './dns-wire.ts';
import type { DnsZone } from './dns-zone.ts';

/** A running DNS server. */
export interface DnsServer {
  /** The same for UDP and TCP. */
  readonly port: number;
  close(): Promise<void>;
}

/** A connection over TCP that says nothing for this long is closed. */
const tcpIdleMs = 10_000;

/** Serves a zone over UDP and TCP on one port; port 0 takes a free one. What can't be read as a query is ignored. */
export async function startDnsServer(zone: DnsZone, host: string, port: number): Promise<DnsServer> {
  for (let attempt = 0; ; attempt++) {
    const tcp = createServer((socket) => serveTcp(socket, zone));
    tcp.listen(port, host);
    await once(tcp, 'listening');
    const bound = (tcp.address() as AddressInfo).port;
    const udp = createSocket('udp4');
    try {
      udp.bind(bound, host);
      await once(udp, 'listening');
    } catch (error) {
      udp.close();
      tcp.close();
      // A free TCP port may be taken as a UDP port by somebody else.
      if (port === 0 && attempt < 5) continue;
      throw error;
    }
    return running(tcp, udp, bound, zone);
  }
}

function running(tcp: Server, udp: UdpSocket, port: number, zone: DnsZone): DnsServer {
  const open = new Set<Socket>();
  tcp.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  udp.on('message', (bytes: Buffer, from: RemoteInfo) => {
    const reply = replyTo(bytes, zone, 'udp');
    // A client that is gone by now can't be told anything.
    if (reply !== undefined) udp.send(reply, from.port, from.address, () => {});
  });
  udp.on('error', () => {});
  return {
    port,
    async close() {
      for (const socket of open) socket.destroy();
      await Promise.all([
        new Promise<void>((r) => tcp.close(() => r())),
        new Promise<void>((r) => udp.close(() => r())),
      ]);
    },
  };
}

function serveTcp(socket: Socket, zone: DnsZone): void {
  let waiting: Buffer = Buffer.alloc(0);
  socket.setTimeout(tcpIdleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
      const end = 2 + waiting.readUInt16BE(0);
      const reply = replyTo(waiting.subarray(2, end), zone, 'tcp');
      waiting = waiting.subarray(end);
      if (reply === undefined) continue;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    }
  });
}

/** The bytes to send back; nothing for what isn't a query. Over UDP an answer that is too long is cut and marked. */
function replyTo(bytes: Buffer, zone: DnsZone, transport: 'udp' | 'tcp'): Buffer | undefined {
  let query: Message;
  try {
    query = decodeMessage(bytes);
  } catch {
    return undefined;
  }
  if (query.type !== 'query') return undefined;
  const answer = answerQuery(query, zone);
  const reply = encodeMessage(answer);
  const limit = Math.max(512, query.additionals.find((a) => a.type === 'OPT')?.udpPayloadSize ?? 512);
  if (transport === 'tcp' || reply.length <= limit) return reply;
  return encodeMessage({ ...answer, answers: [], flags: (answer.flags ?? 0) | flags.truncated });
}
