/** `error`: it keeps Argus from doing what it is for. `warning`: it will cost something. `unknown`: it couldn't be asked. */
export type DoctorSeverity = 'error' | 'warning' | 'unknown' | 'advice';

/** Something that `argus doctor` found, and what helps. */
export interface DoctorFinding {
  /** Stays the same for the same finding, for who looks for it by a program. */
  readonly code: string;
  readonly severity: DoctorSeverity;
  /** The check that found it. */
  readonly check: string;
  /** Absent: it concerns both regions, or none. */
  readonly region?: string;
  readonly job?: string;
  /** One sentence. */
  readonly message: string;
  readonly fix: string;
}

/** What a check found, or why it came to no end. */
export interface CheckOutcome {
  readonly check: string;
  readonly findings: readonly DoctorFinding[];
}

/** All that was found, the worst first. */
export interface DoctorVerdict {
  /** Nothing is an error. */
  readonly ok: boolean;
  readonly counts: Readonly<Record<DoctorSeverity, number>>;
  readonly findings: readonly DoctorFinding[];
  /** Each check with the worst that it found; absent: nothing. */
  readonly checks: readonly { readonly check: string; readonly worst?: DoctorSeverity; readonly findings: number }[];
}

const order: readonly DoctorSeverity[] = ['error', 'warning', 'unknown', 'advice'];

/**
 * The verdict over all checks. The same sentence is told once, by the check that comes first. With `region` what
 * concerns the other region alone is left out. Pure.
 */
export function doctorVerdict(outcomes: readonly CheckOutcome[], region?: string): DoctorVerdict {
  const all = outcomes.flatMap(({ findings }) => findings);
  const once = all.filter(
    (f, i) => all.findIndex((o) => o.code === f.code && o.message === f.message && o.job === f.job) === i,
  );
  const wanted = once.filter((f) => region === undefined || f.region === undefined || f.region === region);
  const findings = order.flatMap((severity) => wanted.filter((f) => f.severity === severity));
  const count = (severity: DoctorSeverity) => findings.filter((f) => f.severity === severity).length;
  return {
    ok: count('error') === 0,
    counts: { error: count('error'), warning: count('warning'), unknown: count('unknown'), advice: count('advice') },
    findings,
    checks: outcomes.map(({ check }) => {
      const own = findings.filter((f) => f.check === check);
      const worst = own[0]?.severity;
      return { check, findings: own.length, ...(worst === undefined ? {} : { worst }) };
    }),
  };
}
