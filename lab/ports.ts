import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { ArgusError } from '../domain/errors.ts';

/** Ports that belong to one lab. */
export interface PortBlock {
  /** The first port, held by this process until `release`. */
  readonly anchor: number;
  /** The next port that nobody else got. */
  take(): number;
  /** Gives the anchor up, right before the process that lives as long as the lab listens on it. */
  release(): Promise<void>;
}

const blockSize = 64;
/** Below the range from which the system picks ports for outgoing connections (Linux: from 32768). */
const firstPort = 20_000;
const lastPort = 32_000;

/**
 * Claims a block of free ports. Two labs that start at once can't get the same one: whoever listens on a block's first
 * port owns it, and that port stays in use for the lab's whole life, also while a region of it is down.
 */
export async function claimPorts(random: () => number = Math.random): Promise<PortBlock> {
  const blocks = Math.floor((lastPort - firstPort) / blockSize);
  const start = Math.floor(random() * blocks);
  for (let i = 0; i < blocks; i++) {
    const anchor = firstPort + ((start + i) % blocks) * blockSize;
    const holder = await listen(anchor, '127.0.0.1');
    if (!holder) continue;
    if (await allFree(anchor + 1, anchor + blockSize)) return portBlock(anchor, holder);
    await close(holder);
  }
  throw new ArgusError('NoPorts', `no ${blockSize} free ports in a row between ${firstPort} and ${lastPort}`, {
    hint: 'stop what listens there; `ss -ltn` lists it',
  });
}

function portBlock(anchor: number, holder: Server): PortBlock {
  let next = anchor + 1;
  return {
    anchor,
    take() {
      if (next >= anchor + blockSize) throw new Error(`a lab needs more than ${blockSize} ports`);
      return next++;
    },
    release: () => close(holder),
  };
}

async function allFree(from: number, end: number): Promise<boolean> {
  for (let port = from; port < end; port++) {
    // Every address at once: the wildcard can't be bound while any single one is in use.
    const server = await listen(port, '0.0.0.0');
    if (!server) return false;
    await close(server);
    if (!(await udpFree(port))) return false;
  }
  return true;
}

function listen(port: number, host: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function udpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, '0.0.0.0', () => socket.close(() => resolve(true)));
  });
}
