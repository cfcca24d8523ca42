import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';

/** The mirror's transactional ids on the standby; no other program may use this prefix. */
const prefix = '__argus-mirror-';

/** The id of a partition's slot by its number, or of the one that fills holes. The same at every start. */
export function transactionalIdOf(tp: TopicPartition, slot: number | 'fill'): string {
  return `${prefix}${partitionKey(tp)}-${slot === 'fill' ? slot : `t${slot}`}`;
}

/** The partition (`partitionKey`) that a transactional id of the mirror is for; undefined for all others. */
export function partitionOfSlot(transactionalId: string): string | undefined {
  if (!transactionalId.startsWith(prefix)) return undefined;
  return /^(.+-\d+)-(?:t\d+|fill)$/.exec(transactionalId.slice(prefix.length))?.[1];
}
