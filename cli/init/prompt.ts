import type { Asker } from './ask.ts';

/** The person at the terminal; the questions go to stderr, so that stdout stays for results. */
export async function atTerminal(signal: AbortSignal): Promise<Asker> {
  const { checkbox, input } = await import('@inquirer/prompts');
  const context = { signal, output: process.stderr };
  return {
    async text({ message, fallback, optional }) {
      const answer = await input(
        { message, required: optional !== true, ...(fallback === undefined ? {} : { default: fallback }) },
        context,
      );
      return answer.trim() === '' ? undefined : answer.trim();
    },
    some: ({ message, optional }, choices, chosen) =>
      checkbox(
        {
          message,
          required: optional !== true,
          choices: choices.map((value) => ({ value, checked: chosen.includes(value) })),
        },
        context,
      ),
  };
}
