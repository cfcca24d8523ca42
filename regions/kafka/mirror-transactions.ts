import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';

/** The mirror's transactional ids on the standby; no other program may use this prefix. */
const prefix = '__argus-mirror-';

/** The id of a partition's slot by its number, or of the one that fills holes. The same at every start. */
export function transactionalIdOf(tp: TopicPartition, slot: number | 'fill'): string {
  return `${prefix}${partitionKey(tp)}-${slot === 'fill' ? slot : `t${slot}`}`;
}
