import { parseArgs } from 'node:util';
import { startApiServer } from './api-server.ts';
import { startDnsServer } from './dns-server.ts';
import { DnsZone } from './dns-zone.ts';

const usage =
  'cloudflare-process --api-port N --dns-port N --zone NAME --token TOKEN [--host ADDRESS] [--record NAME=IPV4]...';

const { values } = parseArgs({
  options: {
    'api-port': { type: 'string' },
    'dns-port': { type: 'string' },
    zone: { type: 'string' },
    token: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    record: { type: 'string', multiple: true, default: [] },
  },
});
const { 'api-port': apiPort, 'dns-port': dnsPort, zone: zoneName, token, host } = values;
if (apiPort === undefined || dnsPort === undefined || zoneName === undefined || token === undefined) {
  console.error(`usage: ${usage}`);
  process.exit(2);
}

const zone = new DnsZone(zoneName);
for (const record of values.record) {
  const [name, content] = record.split('=');
  zone.create({ name, type: 'A', content, ttl: 60 });
}
const api = await startApiServer(zone, token, host, Number(apiPort));
const dns = await startDnsServer(zone, host, Number(dnsPort));
console.log(JSON.stringify({ ready: true, apiPort: api.port, dnsPort: dns.port, zoneId: zone.id }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void Promise.all([api.close(), dns.close()]).then(() => process.exit(0));
  });
}
