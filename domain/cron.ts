import { Cron } from 'croner';

/**
 * When something is due: five fields as in crontab(5), and the zone in which they are meant. Also `L` (last) and `W`
 * (nearest weekday of the month): `0 9 1W * *` is the first weekday of each month at nine. An hour that a zone leaves
 * out is due when it has ended, one that it repeats the first time (croner 11).
 */
export interface CronRule {
  readonly cron: string;
  /** IANA: `Europe/Berlin`. */
  readonly timezone: string;
}

/** What is wrong with a rule, in words; undefined: nothing. One that is never due is wrong. Pure. */
export function cronFault(rule: CronRule): string | undefined {
  if (!isTimezone(rule.timezone)) return `no time zone "${rule.timezone}": name one like Europe/Berlin`;
  try {
    if (occurrences(rule).nextRun(new Date('2024-01-01T00:00:00Z')) !== null) return undefined;
    return `"${rule.cron}" is never due`;
  } catch (error) {
    return `"${rule.cron}" is no cron expression of five fields: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Whether the zone is one that is known. Pure. */
export function isTimezone(timezone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    return true;
  } catch {
    return false;
  }
}

/** The next instants after one, the soonest first. Pure. */
export function nextDue(rule: CronRule, afterMs: number, count: number): readonly number[] {
  return occurrences(rule)
    .nextRuns(count, new Date(afterMs))
    .map((at) => at.getTime());
}

/** The newest instants up to one and with it, the newest first. Pure. */
export function lastDue(rule: CronRule, atMs: number, count: number): readonly number[] {
  // It counts in seconds, and looks before what it is given.
  return occurrences(rule)
    .previousRuns(count + 1, new Date(atMs + 1_000))
    .map((at) => at.getTime())
    .filter((ms) => ms <= atMs)
    .slice(0, count);
}

const kept = new Map<string, Cron>();

function occurrences({ cron, timezone }: CronRule): Cron {
  const key = `${cron} ${timezone}`;
  const made = kept.get(key) ?? new Cron(cron, { timezone, mode: '5-part', paused: true });
  kept.set(key, made);
  return made;
}
