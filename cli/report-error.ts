import { ArgusError, describeError, type ExitCode } from '../domain/errors.ts';

/** How an error ends the command: what is printed to stderr, and the exit code. */
export interface ErrorReport {
  readonly text: string;
  readonly exitCode: Exclude<ExitCode, 0>;
}

/**
 * The one place where an error becomes words. An `ArgusError` brings its own exit code and hint; anything else is a
 * failure of the program (1), with its stack only under `--verbose`. With `json` one JSON object on one line.
 */
export function reportError(
  error: unknown,
  options: { readonly json: boolean; readonly verbose: boolean },
): ErrorReport {
  const known = error instanceof ArgusError ? error : undefined;
  const exitCode = known?.exitCode ?? 1;
  const message = known ? known.message : describeError(error) || 'unknown error';
  const issues = known && 'issues' in known ? { issues: known.issues } : {};
  if (options.json) {
    const body = {
      error: {
        code: known?.code ?? 'Unexpected',
        message,
        hint: known?.hint,
        exitCode,
        retryable: known?.retryable ?? false,
        ...issues,
      },
    };
    return { text: `${JSON.stringify(body)}\n`, exitCode };
  }
  const lines = message.split('\n').map((line) => `error: ${line}`);
  if (known?.hint !== undefined) lines.push(`hint: ${known.hint}`);
  if (options.verbose) {
    const cause = known ? describeError(known.cause) : '';
    if (cause !== '' && !message.includes(cause)) lines.push(`cause: ${cause}`);
    if (error instanceof Error && error.stack) lines.push(error.stack);
  } else if (!known) lines.push('hint: this is a fault of argus itself; --verbose shows where');
  return { text: `${lines.join('\n')}\n`, exitCode };
}
