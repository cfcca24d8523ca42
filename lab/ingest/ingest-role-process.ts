// The ingest service as a platform starts it that brings a region's pods back by themselves: only with the region's role.
import { spawn } from 'node:child_process';
import { siblingEntry } from '../entry.ts';

const main = siblingEntry(import.meta.url, '../../cli/main');
const region = process.argv[process.argv.indexOf('--region') + 1] ?? '';

/** Runs `argus`, with ARGUS_CONFIG for its configuration; gives its exit code and what it said on stderr. */
function argus(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      process.stderr.write(text);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, said }));
  });
}

const first = await argus('--json', 'role', 'await', '--region', region, '--once');
// In a lab in which no Argus has ever run there are no roles to wait for.
if (first.code !== 0 && !first.said.includes('"RolesUnknown"')) {
  const { code } = await argus('role', 'await', '--region', region);
  if (code !== 0) process.exit(code);
}
await import('./ingest-process.ts');
