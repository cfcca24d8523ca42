import { ArgusError } from '../../domain/errors.ts';
import { type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

/** Something that is good until an instant. */
export interface Credential {
  /** For people, without anything secret: `certificate of https://…`, `token of cloudflare`. */
  readonly what: string;
  /** When it ends; undefined: it doesn't. */
  end(call: { readonly signal: AbortSignal }): Promise<number | undefined>;
}

/** Is it good for long enough? `Expired`, `Expiring`; what can't be looked at is unknown. */
export async function probeExpiry(
  credential: Credential,
  limits: { readonly nowMs: number; readonly warnMs: number },
  options: ProbeOptions,
): Promise<ProbeOf<number | undefined> & { readonly endsAtMs?: number }> {
  let endsAtMs: number | undefined;
  const seen = await probe(async (call) => {
    endsAtMs = await credential.end(call);
    const complaint = judgeExpiry(credential.what, endsAtMs, limits);
    if (complaint) throw complaint;
    return endsAtMs;
  }, options);
  // That it can't be looked at is told by the probe of the server itself.
  const told = endsAtMs === undefined && seen.status === 'failed' ? { ...seen, status: 'unknown' as const } : seen;
  return { ...told, ...(endsAtMs === undefined ? {} : { endsAtMs }) };
}

/** What is wrong with an end; undefined: nothing. Pure. */
export function judgeExpiry(
  what: string,
  endsAtMs: number | undefined,
  { nowMs, warnMs }: { readonly nowMs: number; readonly warnMs: number },
): ArgusError | undefined {
  if (endsAtMs === undefined || endsAtMs - nowMs > warnMs) return undefined;
  const at = new Date(endsAtMs).toISOString().slice(0, 16).replace('T', ' ');
  if (endsAtMs <= nowMs) return new ArgusError('Expired', `the ${what} has expired at ${at}`);
  const hours = Math.floor((endsAtMs - nowMs) / 3_600_000);
  const left = hours >= 48 ? `${Math.floor(hours / 24)} days` : `${hours} h`;
  return new ArgusError('Expiring', `the ${what} expires at ${at}, in ${left}`);
}
