import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is to happen to one request instead of, or before, passing it on. */
export interface Fault {
  /** Done before it is passed on. */
  readonly before?: () => Promise<unknown>;
  /** Answered with this status and S3 error code; not passed on. */
  readonly status?: { readonly status: number; readonly code: string };
  /** The connection is cut when so many bytes of the answer's body have passed. */
  readonly cutAfterBytes?: number;
  /** The connection is cut, on both sides, when so many bytes of the request's body have passed. */
  readonly cutUploadAfterBytes?: number;
  /** Done when so many bytes of the answer's body have passed; the rest follows. */
  readonly during?: { readonly afterBytes: number; readonly act: () => Promise<unknown> };
  /** The answer comes this much later. */
  readonly delayMs?: number;
}

export interface ObjectProxy {
  readonly endpoint: string;
  /** Asked for every request; the path is decoded and begins with `/<bucket>/`. */
  fault: ((method: string, path: string) => Fault | undefined) | undefined;
  /** Of each answer's body; `undefined`: as fast as it comes. */
  bytesPerSecond: number | undefined;
  close(): Promise<void>;
}

/** Stands before an S3 server and does harm: errors, cuts, delays, a narrow line. Signatures stay valid. */
export async function startObjectProxy(target: string): Promise<ObjectProxy> {
  const { hostname, port } = new URL(target);
  const server = createServer((from, to) => {
    pass(from, to).catch(() => to.destroy());
  });
  const proxy: ObjectProxy = {
    endpoint: '',
    fault: undefined,
    bytesPerSecond: undefined,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  async function pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const path = decodeURIComponent((from.url ?? '').split('?')[0] ?? '');
    const fault = proxy.fault?.(from.method ?? '', path) ?? {};
    await fault.before?.();
    if (fault.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault.status !== undefined) {
      from.resume();
      to.writeHead(fault.status.status, { 'content-type': 'application/xml', connection: 'close' });
      to.end(`<?xml version="1.0"?><Error><Code>${fault.status.code}</Code><Message>as told</Message></Error>`);
      return;
    }
    const options = { hostname, port, method: from.method, path: from.url, headers: from.headers };
    const onward = request(options, (answer) => void back(answer, to, fault).catch(() => to.destroy()));
    onward.on('error', () => to.destroy());
    const { cutUploadAfterBytes } = fault;
    if (cutUploadAfterBytes !== undefined) {
      let sent = 0;
      from.on('data', (chunk: Buffer) => {
        sent += chunk.length;
        if (sent < cutUploadAfterBytes) return;
        from.unpipe(onward);
        // What is on its way still arrives.
        setTimeout(() => {
          onward.destroy();
          from.destroy();
        }, 20);
      });
    }
    from.pipe(onward);
    from.on('error', () => onward.destroy());
    to.on('close', () => onward.destroy());
  }

  async function back(answer: IncomingMessage, to: ServerResponse, fault: Fault): Promise<void> {
    to.writeHead(answer.statusCode ?? 502, answer.headers);
    let passed = 0;
    let acted = false;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        const piece = chunk.subarray(at, at + PIECE);
        if (fault.cutAfterBytes !== undefined && passed + piece.length > fault.cutAfterBytes) {
          to.write(piece.subarray(0, fault.cutAfterBytes - passed));
          await sleep(20);
          to.destroy();
          answer.destroy();
          return;
        }
        if (proxy.bytesPerSecond !== undefined) await sleep((piece.length / proxy.bytesPerSecond) * 1_000);
        if (!to.write(piece)) await drained(to);
        passed += piece.length;
        if (!acted && fault.during !== undefined && passed >= fault.during.afterBytes) {
          acted = true;
          await fault.during.act();
        }
      }
    }
    to.end();
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(proxy, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const PIECE = 64 << 10;

/** Resolves when more may be written, or nobody reads any more. */
function drained(to: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      to.off('drain', done);
      to.off('close', done);
      resolve();
    };
    to.on('drain', done);
    to.on('close', done);
  });
}
