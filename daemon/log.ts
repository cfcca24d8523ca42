/** Where the long-running parts say what they do; the command line gives one that writes to stderr. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  /** From which level on things are said. Absent: it is what it is. */
  setLevel?(level: 'debug' | 'info' | 'warn'): void;
}
