import { parseArgs } from 'node:util';
import { startIngest } from './ingest-server.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string' },
    bootstrap: { type: 'string' },
    topic: { type: 'string' },
    region: { type: 'string' },
    user: { type: 'string' },
  },
});
const { host, port, bootstrap, topic, region, user } = values;
const password = process.env.KAFKA_PASSWORD;
if (port === undefined || bootstrap === undefined || topic === undefined || region === undefined) {
  console.error(
    'usage: ingest-process --host ADDRESS --port N --bootstrap HOST:PORT --topic NAME --region NAME [--user NAME]',
  );
  process.exit(2);
}

if (user !== undefined && password === undefined) {
  console.error('KAFKA_PASSWORD has to hold the password of --user');
  process.exit(2);
}
const login = user === undefined || password === undefined ? {} : { login: { user, password } };
const server = await startIngest({ host, port: Number(port), bootstrap, topic, region, ...login });
console.log(JSON.stringify({ ready: true, port: server.port }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void server.close().then(() => process.exit(0));
  });
}
