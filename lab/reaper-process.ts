// Ends a lab when its owner is gone: reads standard input to its end, then kills what carries the lab's id and removes
// its folder and its regions with pods. `keep` on the pipe lets the lab live. Arguments: folder, id.
import { removeLab } from './remove-lab.ts';

const [dir = '', id = ''] = process.argv.slice(2);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

let said = '';
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  said += text;
});
process.stdin.on('close', async () => {
  if (id === '' || said.includes('keep')) return;
  await removeLab(dir, id);
});
