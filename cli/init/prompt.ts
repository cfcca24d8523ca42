import { ArgusError } from '../../domain/errors.ts';
import type { Asker } from './ask.ts';

/** The person at the terminal; the questions go to stderr, so that stdout stays for results. */
export async function atTerminal(signal: AbortSignal): Promise<Asker> {
  const { checkbox, input } = await import('@inquirer/prompts');
  const context = { signal, output: process.stderr };
  return {
    async text({ message, fallback, optional }) {
      const answer = await answered(
        input(
          { message, required: optional !== true, ...(fallback === undefined ? {} : { default: fallback }) },
          context,
        ),
      );
      return answer.trim() === '' ? undefined : answer.trim();
    },
    some: ({ message, optional }, choices, chosen) =>
      answered(
        checkbox(
          {
            message,
            required: optional !== true,
            choices: choices.map((value) => ({ value, checked: chosen.includes(value) })),
          },
          context,
        ),
      ),
  };
}

/** Who leaves a question (Ctrl-C) leaves all of it. */
async function answered<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (cause) {
    const left = cause instanceof Error && /^(Exit|Abort)PromptError$/.test(cause.name);
    if (!left) throw cause;
    throw new ArgusError('Interrupted', 'left amidst the questions: nothing was written', { cause, exitCode: 4 });
  }
}
