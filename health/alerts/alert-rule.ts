/** One thing that on-call is to know, as Prometheus finds it. */
export interface AlertRule {
  readonly alert: string;
  /** PromQL; holds while it gives a series. */
  readonly expr: string;
  /** How long it must hold, in seconds. */
  readonly forSeconds: number;
  /** `critical`: now, also at night. `warning`: today. `info`: this week. */
  readonly severity: 'critical' | 'warning' | 'info';
  /** What Argus' webhook is to do with it: look and answer, or prepare a failover; absent: it is only counted. */
  readonly action?: 'check' | 'propose';
  /** One line; may have Prometheus' templates. */
  readonly summary: string;
  /** What it means to the standby. */
  readonly description: string;
  /** What on-call does next. */
  readonly todo: string;
}

/** Rules that are evaluated one after the other. */
export interface AlertGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}
