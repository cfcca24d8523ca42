import type { Log } from '../../../daemon/log.ts';

export interface QuietLog extends Log {
  readonly lines: readonly { readonly level: keyof Log; readonly facts: object; readonly message: string }[];
}

/** A log that only remembers. */
export function quietLog(): QuietLog {
  const lines: { level: keyof Log; facts: object; message: string }[] = [];
  const at = (level: keyof Log) => (facts: object, message: string) => void lines.push({ level, facts, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
