import type { SourceOffset } from '../../domain/checkpoint.ts';
import type { PartitionOffset } from '../../domain/offsets.ts';
import { changeElements, holdsElements, type StatefulHandle } from './change-elements.ts';
import { DataWriter } from './java-data.ts';
import { decodeEnumerator, type EnumeratedPartition } from './kafka-enumerator.ts';
import { decodeSplit, SOURCE_READER_STATE, stateElement } from './kafka-state.ts';
import type { OperatorHandle } from './metadata-handles.ts';

/** `Long.MIN_VALUE`: the source has no end. */
const NO_STOPPING_OFFSET = -(2n ** 63n);

/** A Kafka source's split as its reader holds it. */
export interface SourceSplit extends SourceOffset {
  /** It ends before `stoppingOffset`, which may be a marker, too. */
  readonly bounded: boolean;
}

/** What takes a split's place: another topic, another offset. */
export type SplitChange = (split: SourceSplit) => Pick<PartitionOffset, 'topic' | 'offset'>;

/** Whether a handle holds splits of a source's readers. */
export function holdsSplits(handle: OperatorHandle): handle is StatefulHandle {
  return holdsElements(handle, SOURCE_READER_STATE);
}

/**
 * The handle with other splits, its stream inside it; `stream` is the whole stream of the given one. Where a bounded
 * split ends stays as it is.
 */
export function changeSplits(handle: StatefulHandle, stream: Uint8Array, change: SplitChange): StatefulHandle {
  return changeElements(handle, stream, SOURCE_READER_STATE, (offset) => {
    const input = stateElement(stream, offset);
    const version = input.i32();
    if (version !== 0) input.fail(`not a Kafka source split that is known (version ${version})`, input.position - 4);
    const split = decodeSplit(input.nested(input.block()));
    input.end('a source split');
    const { topic, offset: next } = change({ ...split, bounded: split.stoppingOffset !== NO_STOPPING_OFFSET });
    const inner = new DataWriter().utf(topic).i32(split.partition).i64(next).i64(split.stoppingOffset).finish();
    return new DataWriter().block(new DataWriter().i32(version).block(inner).finish()).finish();
  });
}

/**
 * The state of a Kafka source's enumerator with its topics renamed: the same bytes otherwise. Of each partition that
 * isn't given to a reader yet `check` is told first; what it throws is thrown.
 */
export function renameTopics(
  bytes: Uint8Array,
  rename: (topic: string) => string,
  check: (unassigned: EnumeratedPartition) => void,
): Uint8Array {
  const { version, partitions, initialDiscoveryFinished } = decodeEnumerator(bytes);
  const out = new DataWriter(bytes.length * 2).i32(partitions.length);
  if (version === 3) out.i32(0);
  for (const each of partitions) {
    if (!each.assigned) check(each);
    const named = new DataWriter().utf(rename(each.topic)).i32(each.partition);
    if (version === 3) {
      named.i64(each.startingOffset ?? NO_STOPPING_OFFSET).i64(each.stoppingOffset ?? NO_STOPPING_OFFSET);
      out.block(named.finish());
    } else out.raw(named.finish());
    if (version > 1) out.i32(each.assigned ? 0 : 1);
  }
  if (version > 1) out.u8(initialDiscoveryFinished ? 1 : 0);
  return new DataWriter(bytes.length * 2).i32(1).i32(version).block(out.finish()).finish();
}
