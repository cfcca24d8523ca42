import { parseArgs } from 'node:util';
import { startTraffic } from './traffic-client.ts';

const usage =
  'traffic-process --resolver HOST:PORT --name NAME --port N --rate N --keys N --ledger FILE [--seconds N] [--connections N]';

const { values } = parseArgs({
  options: {
    resolver: { type: 'string' },
    name: { type: 'string' },
    port: { type: 'string' },
    rate: { type: 'string', default: '200' },
    keys: { type: 'string', default: '100' },
    ledger: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string', default: '8' },
  },
});
const { resolver, name, port, ledger } = values;
const numbers = [values.rate, values.keys, values.connections, values.seconds ?? '1', port ?? ''].map(Number);
if (resolver === undefined || name === undefined || ledger === undefined || numbers.some((n) => !(n > 0))) {
  console.error(`usage: ${usage}`);
  process.exit(2);
}

const traffic = await startTraffic({
  resolver,
  name,
  port: Number(port),
  rate: Number(values.rate),
  keys: Number(values.keys),
  ledgerPath: ledger,
  connections: Number(values.connections),
});
const report = setInterval(() => console.log(JSON.stringify(traffic.stats())), 1_000);

let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  const stats = await traffic.stop();
  clearInterval(report);
  console.log(JSON.stringify({ ...stats, done: true }));
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end());
if (values.seconds !== undefined) setTimeout(() => void end(), Number(values.seconds) * 1_000);
