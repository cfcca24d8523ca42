import { z } from 'zod';
import { duration } from './config-values.ts';
import { cronFault, isTimezone } from './cron.ts';

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'a time like 09:30');

const window = z
  .strictObject({
    /** Absent: each day. */
    days: z.array(z.enum(days)).min(1).optional(),
    from: time,
    /** Not included. */
    to: time,
  })
  .refine(({ from, to }) => from < to, 'from is before to, on the same day');

const isDate = (text: string) => {
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
};

const blackout = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(\.\.\d{4}-\d\d-\d\d)?$/, 'a date like 2026-12-24, or dates like 2026-12-20..2027-01-06')
  .transform((text, ctx) => {
    const [from = '', to = from] = text.split('..');
    if (isDate(from) && isDate(to) && from <= to) return { from, to };
    ctx.addIssue({ code: 'custom', message: 'dates that exist, the earlier one first' });
    return z.NEVER;
  });

/** The first weekday of each month, and each day. */
const usual = { isolated: '0 9 1W * *', tabletop: '0 8 * * *' } as const;

const entry = z
  .strictObject({
    kind: z.enum(['isolated', 'tabletop', 'switchover']),
    /** False: never by itself. */
    enabled: z.boolean().default(true),
    /** Five fields. Absent: an isolated drill at 09:00 on the first weekday of the month, a tabletop at 08:00 each day. */
    cron: z.string().optional(),
    /** In it are meant: `cron`, `windows` and `blackout`. */
    timezone: z.string().refine(isTimezone, 'a time zone like Europe/Berlin').default('UTC'),
    /** A drill begins in one of them only. Absent: at any time of the day. */
    windows: z.array(window).default([]),
    /** Whole days on which none begins. */
    blackout: z.array(blackout).default([]),
    /** How long a drill that is due waits for calm, where no window ends sooner. */
    patience: duration.prefault('8h'),
    /** Whether a person has to agree to each one: `required` for a switchover unless told otherwise. */
    approve: z.enum(['required', 'none']).optional(),
    /** So long before it is due a drill that needs approval is announced. */
    announce: duration.prefault('24h'),
    /** How long a switchover stays in the other region. Absent: until that has made checkpoints and is reached by its names. */
    stay: duration.optional(),
  })
  .transform(({ cron, approve, stay, ...rest }, ctx) => {
    const expression = cron ?? (rest.kind === 'switchover' ? undefined : usual[rest.kind]);
    const fail = (path: string, message: string) => {
      ctx.addIssue({ code: 'custom', path: [path], message });
      return z.NEVER;
    };
    if (expression === undefined) return fail('cron', 'a switchover has no usual time: say when');
    const fault = cronFault({ cron: expression, timezone: rest.timezone });
    if (fault !== undefined) return fail('cron', fault);
    if (rest.kind !== 'switchover' && approve === 'required')
      return fail('approve', 'only a switchover can need approval');
    if (rest.kind !== 'switchover' && stay !== undefined) return fail('stay', 'only a switchover stays anywhere');
    const needsApproval = rest.kind === 'switchover' && approve !== 'none';
    return { ...rest, cron: expression, needsApproval, ...(stay === undefined ? {} : { stay }) };
  });

/** One line of `drill.schedule`. */
export type DrillScheduleEntry = z.output<typeof entry>;

/** `drill.schedule`: which drills begin by themselves, and when. With it comes a daily tabletop, unless it has one. */
export const drillSchedule = z.array(entry).transform((entries): readonly DrillScheduleEntry[] => {
  if (entries.some((e) => e.kind === 'tabletop')) return entries;
  const timezone = entries[0]?.timezone ?? 'UTC';
  return [...entries, entry.parse({ kind: 'tabletop', timezone })];
});
