import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { KafkaConnection } from '../../regions/kafka/kafka-connection.ts';
import { listOffsetsRequest } from '../../regions/kafka/list-offsets.ts';
import { WireWriter } from '../../regions/kafka/wire.ts';

let server: Server | undefined;
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server?.close();
});

/** A server of our own in a broker's place: `answer` gets each request's correlation id, and its API's key. */
async function serve(answer: (socket: Socket, id: number, apiKey: number) => void): Promise<number> {
  const listening = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        answer(socket, received.readInt32BE(8), received.readInt16BE(4));
        received = received.subarray(4 + received.readInt32BE(0));
      }
    });
  }).listen(0, '127.0.0.1');
  server = listening;
  await new Promise((resolve) => listening.once('listening', resolve));
  return (listening.address() as { port: number }).port;
}

async function open(answer: (socket: Socket, id: number) => void): Promise<KafkaConnection> {
  const port = await serve(answer);
  const options = { region: 'mumbai', clientId: 'test', connectTimeoutMs: 1_000 };
  return KafkaConnection.open({ host: '127.0.0.1', port }, options);
}

/** A ListOffsets response for the topic with the empty name; the offset is the request's correlation id. */
function response(id: number): Buffer {
  const body = new WireWriter().int32(id).int32(0).int32(1).string('').int32(1);
  body.int32(0).int16(0).int64(-1n).int64(BigInt(id)).int32(0);
  const { chunks, length } = body.finish();
  const size = Buffer.alloc(4);
  size.writeInt32BE(length);
  return Buffer.concat([size, ...chunks]);
}

const ask = (connection: KafkaConnection, timeoutMs = 1_000, signal?: AbortSignal) =>
  connection.send(listOffsetsRequest([{ topic: '', partition: 0 }], -1n), { timeoutMs, ...(signal && { signal }) });

describe('a connection to a broker', () => {
  test('matches pipelined answers to their requests, however they are cut on the way', async () => {
    const connection = await open((socket, id) => {
      for (const byte of response(id)) socket.write(Buffer.of(byte));
    });
    const answers = await Promise.all([ask(connection), ask(connection), ask(connection)]);
    expect(answers.map((a) => a[0]?.offset)).toEqual([1n, 2n, 3n]);
    connection.close();
  });

  test('fails every waiting and later request when one is not answered in time', async () => {
    const connection = await open(() => undefined);
    const [first, second] = [ask(connection, 300), ask(connection, 5_000)];
    await expect(first).rejects.toMatchObject({ code: 'KafkaUnreachable', retryable: true });
    await expect(second).rejects.toMatchObject({ code: 'KafkaUnreachable' });
    await expect(ask(connection)).rejects.toMatchObject({ code: 'KafkaUnreachable' });
    expect(connection.closed).toBe(true);
  });

  test('fails its requests at once when the broker closes it', async () => {
    const connection = await open((socket) => socket.destroy());
    await expect(ask(connection)).rejects.toMatchObject({ code: 'KafkaUnreachable' });
  });

  test('ends by the caller`s signal, with its reason', async () => {
    const connection = await open(() => undefined);
    const reason = new Error('enough');
    const controller = new AbortController();
    const asked = ask(connection, 5_000, controller.signal);
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });

  test.each([
    ['of 2 GiB', (id: number) => Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, id])],
    ['of negative length', () => Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['to a request that was not made', () => response(99)],
    ['that ends too early', (id: number) => Buffer.from([0, 0, 0, 6, 0, 0, 0, id, 0, 0])],
  ])('refuses a response %s and is closed', async (_name, bytes) => {
    const connection = await open((socket, id) => void socket.write(bytes(id)));
    await expect(ask(connection)).rejects.toMatchObject({ code: 'KafkaMalformed' });
    expect(connection.closed).toBe(true);
  });
});

describe('a broker that is too old', () => {
  test('is told by the API that it lacks, before anything is asked of it', async () => {
    const asked: number[] = [];
    const port = await serve((socket, id, apiKey) => {
      asked.push(apiKey);
      // Metadata in versions 0 to 5 only.
      const { chunks, length } = new WireWriter().int32(id).int16(0).int32(1).int16(3).int16(0).int16(5).finish();
      const size = Buffer.alloc(4);
      size.writeInt32BE(length);
      socket.write(Buffer.concat([size, ...chunks]));
    });
    const bootstrap = [`127.0.0.1:${port}`];
    const timeouts = { connectTimeoutMs: 1_000, requestTimeoutMs: 1_000 };
    const cluster = new KafkaCluster({ name: 'mumbai', bootstrap, clientId: 'test', ...timeouts });
    await expect(cluster.refresh(['events'])).rejects.toMatchObject({
      code: 'KafkaVersion',
      message: expect.stringMatching(/^mumbai's broker .* takes Metadata in versions 0 to 5; Argus speaks version 7$/),
    });
    expect(asked).toEqual([18]);
    cluster.close();
  });
});
