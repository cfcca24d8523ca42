import { ArgusError } from '../../domain/errors.ts';

/** A question with its answer for who just presses Enter. */
export interface Question {
  /** The flag that answers it beforehand. */
  readonly flag: string;
  readonly message: string;
  readonly fallback?: string;
  /** May stay empty. */
  readonly optional?: boolean;
}

/** Who is asked. */
export interface Asker {
  text(question: Question): Promise<string | undefined>;
  /** Some of these; at least one. */
  some(question: Question, choices: readonly string[], chosen: readonly string[]): Promise<readonly string[]>;
}

/** Nobody: what has no answer and no fallback is kept in `missing`, by its flag. */
export function nobody(missing: string[]): Asker {
  const lack = (flag: string) => {
    if (!missing.includes(flag)) missing.push(flag);
  };
  return {
    async text({ flag, fallback, optional }) {
      if (fallback === undefined && optional !== true) lack(flag);
      return fallback;
    },
    async some({ flag, optional }, choices, chosen) {
      const taken = chosen.length > 0 ? chosen : choices;
      if (taken.length === 0 && optional !== true) lack(flag);
      return taken;
    },
  };
}

/** Refuses (exit code 2) to go on without these. */
export function requireNothingMissing(missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new ArgusError('AnswersMissing', `nobody can be asked, and these are not answered: ${missing.join(', ')}`, {
    hint: 'give them as options, or in a YAML file: argus init --answers answers.yaml; at a terminal they are asked for',
    exitCode: 2,
  });
}
