// A process that runs commands of argus one after the other. Arguments: a file with the commands, and one for what became
// of them.
import { readFileSync, writeFileSync } from 'node:fs';
import { type EndedCommand, type GivenCommand, runCommand } from './run-command.ts';

const [, , commandsFile = '', resultsFile = ''] = process.argv;
const results: EndedCommand[] = [];
for (const given of JSON.parse(readFileSync(commandsFile, 'utf8')) as readonly GivenCommand[]) {
  // Should one never end, this tells which.
  process.stderr.write(`argus ${given.words.join(' ')}\n`);
  results.push(await runCommand(given));
}
writeFileSync(resultsFile, JSON.stringify(results));
process.exit(0);
