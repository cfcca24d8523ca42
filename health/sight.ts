import type { Observation } from '../domain/observation.ts';
import type { Probe } from './probe.ts';

/** What is seen of one thing, without who and when. */
export type Sight = Omit<Observation, 'observer' | 'atMs'>;

/** Something that an observer looks at in a rhythm of its own. */
export interface ProbeTask {
  readonly name: string;
  readonly periodMs: number;
  /** Ends by itself within its deadline, and never throws. What it doesn't give any more is no longer looked at. */
  look(call: { readonly signal: AbortSignal }): Promise<readonly Sight[]>;
}

/** A probe as it is told to others. What this observer may not do, or can't for want of settings, says nothing of the region. */
export function sightOf(
  about: Pick<Sight, 'probe' | 'region' | 'subject'>,
  { status, latencyMs, code, reason }: Probe,
): Sight {
  const own = status === 'failed' && code !== undefined && ownTrouble.test(code);
  return {
    ...about,
    status: own ? 'unknown' : status,
    latencyMs,
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Codes of refused credentials, rights and settings. */
const ownTrouble = /Denied$|Forbidden$|Unauthenticated$|Untrusted$|^KafkaTls$|^ConfigError$|^KafkaVersion$/;
