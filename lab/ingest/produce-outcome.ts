import type { EventStatus } from './event.ts';

/**
 * Error codes with which a broker says that it appended nothing: corrupt batch, unknown topic, not the leader, too
 * large, invalid topic, batch too large, too few replicas before the append, not authorised, version not supported,
 * invalid timestamp, invalid record. Source: https://kafka.apache.org/protocol.html#protocol_error_codes
 */
const nothingAppended: ReadonlySet<number> = new Set([2, 3, 5, 6, 10, 17, 18, 19, 29, 32, 35, 87]);

/** What an error code of Produce means for the events: codes that don't exclude an append leave them unknown. */
export function statusOfError(code: number): EventStatus {
  if (code === 0) return 'acknowledged';
  return nothingAppended.has(code) ? 'refused' : 'unknown';
}
