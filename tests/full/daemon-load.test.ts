import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DarkDaemon, startDarkDaemon } from '../support/dark-daemon.ts';

const readers = 1_000;
const alertsPerMinute = 10_000;
const minutes = 3;
const mebibyte = 1024 * 1024;

let daemon: DarkDaemon;
beforeAll(async () => {
  const more = `daemon: { port: 0, http: { tokens: { act: env:ACT } } }
alerts:
  rules:
    - { match: { kind: act }, do: act }
    - { match: { kind: propose }, do: propose }
    - { match: { kind: check }, do: check }
`;
  daemon = await startDarkDaemon(more, { S3_ID: 'id', S3_KEY: 'key', DNS_TOKEN: 'token', ACT: 'may-act' });
}, 90_000);
afterAll(() => daemon?.remove());

/** Listens as a browser does, and counts what it is sent. */
function listen(agent: Agent, onBytes: (bytes: number) => void): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const asked = request(`${daemon.url}/api/v1/events?page=1`, { agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`refused with ${answer.statusCode}`));
      answer.on('data', (chunk: Buffer) => onBytes(chunk.length));
      answer.on('error', () => undefined);
      resolve(() => asked.destroy());
    });
    asked.on('error', reject);
    asked.end();
  });
}

const kinds = ['none', 'check', 'act', 'propose'];

/** Of ever new groups, some of which end; answered within a second or so. */
async function alert(agent: Agent, n: number): Promise<number> {
  const status = n % 5 === 0 ? 'resolved' : 'firing';
  const labels = { alertname: `Alert${n}`, kind: kinds[n % 4] as string, text: 'x'.repeat(500) };
  const body = JSON.stringify({
    version: '4',
    groupKey: `{}:{alertname="Alert${n}"}`,
    status,
    alerts: [{ status, labels, annotations: {}, fingerprint: String(n) }],
  });
  const headers = { authorization: 'Bearer may-act', 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asked = request(`${daemon.url}/api/v1/alerts`, { agent, method: 'POST', headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.on('error', reject).end(body);
  });
}

test(`bears ${readers} readers and ${alertsPerMinute} alerts a minute: its memory is flat`, async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  let received = 0;
  const ofReaders = new Agent({ maxSockets: readers });
  const leave = await Promise.all(
    Array.from({ length: readers }, () =>
      listen(ofReaders, (bytes) => {
        received += bytes;
      }),
    ),
  );
  const answers = new Map<number, number>();
  const samples: number[] = [];
  const from = performance.now();
  const sending: Promise<void>[] = [];
  let sent = 0;
  for (let second = 0; second < minutes * 60; second++) {
    const due = Math.round(((second + 1) * alertsPerMinute) / 60);
    for (; sent < due; sent++) {
      const n = sent;
      sending.push(alert(agent, n).then((code) => void answers.set(code, (answers.get(code) ?? 0) + 1)));
    }
    samples.push(daemon.residentBytes() / mebibyte);
    const rest = (second + 1) * 1_000 - (performance.now() - from);
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  }
  await Promise.all(sending);
  const took = performance.now() - from;
  // The first minute warms up: buffers of a thousand connections, and compiled code.
  const worst = (part: readonly number[]) => Math.round(Math.max(...part));
  const third = Math.floor(samples.length / 3);
  const [first, last] = [worst(samples.slice(0, third)), worst(samples.slice(-third))];
  console.log({ sent, took: Math.round(took), answers: Object.fromEntries(answers), received, first, last });
  expect(Object.fromEntries(answers)).toEqual({ 200: alertsPerMinute * minutes });
  expect(received).toBeGreaterThan(readers * 1_000);
  expect(last).toBeLessThanOrEqual(first + 40);
  expect(last).toBeLessThanOrEqual(450);
  // What an effect followed is in the state, and nothing of the flood.
  const { objects } = await daemon.state.list('');
  expect(objects.length).toBeLessThan(40);
  for (const end of leave) end();
  agent.destroy();
});
