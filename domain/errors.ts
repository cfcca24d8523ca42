/** How the argus command ends. Sources: docs in README "Exit codes". */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

export interface ArgusErrorOptions {
  /** What the operator does next, as a sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** True only where the adapter knows that the same call may succeed later. */
  readonly retryable?: boolean;
  /**
   * Where no cause tells it: whether the other side was heard at all. True: it refused, hung up or answered wrongly;
   * false: nothing came in time.
   */
  readonly heard?: boolean;
  /** 1 failed, 2 usage or configuration, 3 refused by a safety check, 4 needs a person. */
  readonly exitCode?: Exclude<ExitCode, 0>;
}

/**
 * The one base of every error that Argus raises itself.
 * Callers branch on `code`, never on the text; `hint` is what the operator does next.
 */
export class ArgusError extends Error {
  override readonly name = 'ArgusError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly heard: boolean | undefined;
  readonly exitCode: Exclude<ExitCode, 0>;

  constructor(code: string, message: string, options: ArgusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    this.heard = options.heard;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The text of anything thrown, with the causes that say more than the outermost one. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let e: unknown = error, depth = 0; e !== undefined && e !== null && depth < 5; depth++) {
    const text = e instanceof Error ? e.message || e.name : String(e);
    if (text !== '' && !parts.some((p) => p.includes(text))) parts.push(text);
    e = e instanceof Error ? e.cause : undefined;
  }
  return parts.join(': ');
}
