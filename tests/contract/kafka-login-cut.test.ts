import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';

let server: Server | undefined;
afterEach(() => server?.close());

/** What a proxy is whose broker is gone: it lets everybody in, and then ends it. */
async function deadProxy(onConnection: (socket: Socket) => void): Promise<string> {
  const started = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const address = started.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

test.each<[string, (socket: Socket) => void]>([
  ['at once', (socket) => socket.destroy()],
  ['orderly, at once', (socket) => socket.end()],
  ['at the first request', (socket) => socket.once('data', () => socket.destroy())],
  ['a little later', (socket) => setTimeout(() => socket.destroy(), 20)],
])('a connection that is ended %s, before the login, is an unreachable broker and nothing worse', async (_, end) => {
  const uncaught: unknown[] = [];
  const note = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', note);
  const admin = new PlatformaticAdmin({
    region: 'mumbai',
    bootstrap: [await deadProxy(end)],
    security: { sasl: { mechanism: 'SCRAM-SHA-512', username: 'argus', password: 'secret' } },
    deadlineMs: 300,
  });
  try {
    for (let i = 0; i < 3; i++) {
      await expect(admin.describeTopics(['events'])).rejects.toMatchObject({ code: 'KafkaUnreachable' });
      await expect(admin.listAcls({})).rejects.toMatchObject({ code: 'KafkaUnreachable' });
      await expect(admin.logRanges([{ topic: 'events', partition: 0 }])).rejects.toThrow();
    }
  } finally {
    await admin.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.off('uncaughtException', note);
  }
  expect(uncaught).toEqual([]);
});
