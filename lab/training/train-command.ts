import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { ArgusError } from '../../domain/errors.ts';
import type { LabCommandLine } from '../faults/fault-command.ts';
import { trainingScenarios } from './scenarios.ts';
import { personAt, scriptedTrainee } from './trainee.ts';

interface Options {
  readonly dir: string;
  readonly json?: true;
  readonly list?: true;
  readonly scenario: string;
  readonly speed: number;
  readonly trainee?: string;
}

const speed = (text: string): number => {
  const n = Number(text);
  if (!(n > 0 && n <= 100)) throw new InvalidArgumentError('a number above 0, 100 at most');
  return n;
};

/** `lab train`: a person gets a page, and decides with Argus. */
export function trainCommand({ command, print, signal }: LabCommandLine): void {
  command(
    'train',
    'A page comes, and you decide with Argus in another terminal; scored on time and loss. On a lab of its own.',
    'npm run lab -- train --list\n  npm run lab -- train --scenario slow-primary\n  npm run lab -- train --scenario dead-primary --speed 2',
  )
    .option('--list', 'what can be trained')
    .option('--scenario <name>', 'which', 'slow-primary')
    .option('--speed <factor>', "2: the scenario's own pauses take half as long", speed, 1)
    .option('--trainee <script>', 'a program in your place: each line of its output is what you would type')
    .action(async (options: Options) => {
      if (options.list) {
        const list = trainingScenarios.map(({ name, title, right }) => ({ name, title, right }));
        // Which move is right is not given away to people.
        return print(options, list, list.map((s) => `${s.name.padEnd(20)} ${s.title}`).join('\n'));
      }
      const scenario = trainingScenarios.find((s) => s.name === options.scenario);
      if (scenario === undefined) {
        throw new ArgusError('Usage', `there is no scenario "${options.scenario}"`, {
          exitCode: 2,
          hint: `there are: ${trainingScenarios.map((s) => s.name).join(', ')}`,
        });
      }
      const { trainee: script, speed: factor } = options;
      // The other controls need nothing of it, and answer at once.
      const { giveLesson } = await import('./lesson.ts');
      const result = await giveLesson({
        ...{ scenario, signal, speed: factor },
        say: (line) => void process.stderr.write(`${line}\n`),
        trainee: (env, onWord) =>
          script === undefined
            ? personAt(process.stdin, onWord)
            : scriptedTrainee(resolve(script), { ...process.env, ...env }, onWord),
      });
      print(options, result, '');
    });
}
