import { ArgusError } from '../domain/errors.ts';

/** What the parser of the command line wrote about a wrong call, as an error of exit code 2. Pure. */
export function usageError(written: string): ArgusError {
  const first = written.split('\n').find((line) => line.startsWith('error: '));
  // Without a command there is only the help text.
  const message = first?.slice('error: '.length) ?? 'a command is needed';
  return new ArgusError('Usage', message, { exitCode: 2, hint: 'see `argus --help`' });
}

/** Whether these arguments ask for JSON: known also when they can't be parsed. Pure. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? undefined : end).includes('--json');
}
