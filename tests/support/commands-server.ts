// A process that runs the commands of argus that it is sent, one after the other (command-process.ts).
import type { AskedCommand } from './command-process.ts';
import { runCommand } from './run-command.ts';

let last: Promise<unknown> = Promise.resolve();
process.on('message', ({ id, words, env }: AskedCommand) => {
  last = last.then(async () => {
    Object.assign(process.env, env);
    process.send?.({ id, ended: await runCommand({ words }) });
  });
});
process.on('disconnect', () => process.exit(0));
