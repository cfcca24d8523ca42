import type { BucketSettings, LifecycleRule } from '../../regions/objects/bucket-settings.ts';
import type { DoctorFinding } from './finding.ts';

/** What a place for objects did with a probe object, or why it wouldn't. */
export interface StoreTried {
  /** First of list, write, read, refuse, delete that failed, and why. */
  readonly failed?: { readonly what: string; readonly code: string; readonly message: string; readonly hint?: string };
  /** A second object with the same key was taken in spite of `If-None-Match: *`. */
  readonly overwrote?: boolean;
  /** What was read isn't what was written. */
  readonly differs?: boolean;
  /** The probe object that couldn't be removed. */
  readonly left?: string;
}

/** One place for objects as it was seen. */
export interface SeenStore {
  /** `the bucket of mumbai`, `the state`. */
  readonly what: string;
  readonly uri: string;
  readonly region?: string;
  /** What decides who holds the lease lies here: without conditional writes two could. */
  readonly conditional: boolean;
  /** Key prefixes of which nothing may vanish by itself, as the bucket has them. */
  readonly kept: readonly string[];
  /** Absent: not tried. */
  readonly tried?: StoreTried;
  /** Absent: a folder has none. */
  readonly settings?: BucketSettings | { readonly unknown: string };
}

/** What is wrong with a place for objects. Pure. */
export function judgeStore(check: string, store: SeenStore): readonly DoctorFinding[] {
  const { what, uri, region, tried, settings } = store;
  const of = { check, ...(region === undefined ? {} : { region }) };
  const findings: DoctorFinding[] = [];
  if (tried?.failed) {
    const { code, message, hint } = tried.failed;
    const fix = hint ?? `let Argus' key list, read, write and delete in ${uri}`;
    const severity = code === 'ObjectStoreUnreachable' ? 'unknown' : 'error';
    findings.push({ ...of, severity, code, message: `${what}, ${tried.failed.what}: ${message}`, fix });
  }
  if (tried?.differs)
    findings.push({
      ...of,
      severity: 'error',
      code: 'StoreForgets',
      message: `${what}: a probe object was read back with another content than was written`,
      fix: `use a store that shows a write to the next read; ${uri} does not`,
    });
  if (tried?.overwrote)
    findings.push({
      ...of,
      severity: store.conditional ? 'error' : 'advice',
      code: 'NoConditionalWrites',
      message: `${what} took a second object of the same key in spite of If-None-Match: two could hold the lease`,
      fix: 'put the state into a store with conditional writes (S3, R2, versitygw, MinIO have them)',
    });
  if (tried?.left !== undefined)
    findings.push({
      ...of,
      severity: 'warning',
      code: 'ProbeObjectLeft',
      message: `${what}: the probe object ${tried.left} could not be removed`,
      fix: `let Argus' key delete there, and remove ${tried.left}`,
    });
  if (settings === undefined) return findings;
  if ('unknown' in settings)
    findings.push({
      ...of,
      severity: 'unknown',
      code: 'BucketSettingsUnknown',
      message: `${what}: whether it removes objects by itself can't be told: ${settings.unknown}`,
      fix: 'allow GetLifecycleConfiguration and GetBucketVersioning, or look at its lifecycle rules by hand',
    });
  else findings.push(...judgeRules(of, store, settings));
  return findings;
}

function judgeRules(
  of: Pick<DoctorFinding, 'check' | 'region'>,
  { what, kept }: SeenStore,
  { versioning, rules }: BucketSettings,
): readonly DoctorFinding[] {
  const findings: DoctorFinding[] = [];
  for (const rule of rules) {
    const hit = kept.find((prefix) => overlap(prefix, rule));
    if (hit === undefined) continue;
    const about = `${what}: the rule "${rule.id}" ${rule.prefix === '' ? 'for all keys' : `for ${rule.prefix}`}`;
    if (rule.expiresAfterDays !== undefined)
      findings.push({
        ...of,
        severity: 'error',
        code: 'LifecycleDeletesState',
        message: `${about} removes objects after ${rule.expiresAfterDays} days, under ${hit} too: state files live as long as a checkpoint needs them`,
        fix: `take ${hit} out of the rule: retention of checkpoints is Argus' own (checkpoints.retention) and Flink's`,
      });
    if (rule.moves)
      findings.push({
        ...of,
        severity: 'warning',
        code: 'LifecycleMovesState',
        message: `${about} moves objects to another storage class, under ${hit} too: from some they can't be read at once`,
        fix: `take ${hit} out of the rule`,
      });
  }
  if (versioning === 'on' && !rules.some((rule) => rule.oldVersionsAfterDays !== undefined))
    findings.push({
      ...of,
      severity: 'warning',
      code: 'VersionsPileUp',
      message: `${what} keeps old versions for ever: whatever Flink and Argus delete goes on to cost`,
      fix: 'add a lifecycle rule that removes noncurrent versions after a few days, or switch versioning off',
    });
  return findings;
}

const overlap = (prefix: string, rule: LifecycleRule) =>
  prefix.startsWith(rule.prefix) || rule.prefix.startsWith(prefix);
