import { DataWriter } from './java-data.ts';
import type { OperatorHandle, StreamHandle } from './metadata-handles.ts';

/** A handle that holds named operator states. */
export type StatefulHandle = Exclude<OperatorHandle, { tag: 0 }>;

/** Whether a handle holds elements of a named state. */
export function holdsElements(handle: OperatorHandle, state: string): handle is StatefulHandle {
  return handle.tag !== 0 && handle.states.some((s) => s.name === state && s.offsets.length > 0);
}

/**
 * The handle with other elements of a named state, its stream inside it; `stream` is the whole stream of the given one,
 * and `change` gives the bytes in place of the element at an offset of it. The new elements stand behind all that was
 * there, which nothing names any more: Flink seeks each element by its offset (source: OperatorStateRestoreOperation,
 * Flink 1.20 and 2.2).
 */
export function changeElements(
  handle: StatefulHandle,
  stream: Uint8Array,
  name: string,
  change: (offset: bigint) => Uint8Array,
): StatefulHandle {
  const out = new DataWriter(stream.length * 2).raw(stream);
  let length = stream.length;
  const moved = (offset: bigint): bigint => {
    const element = change(offset);
    out.raw(element);
    const at = BigInt(length);
    length += element.length;
    return at;
  };
  const states = handle.states.map((state) =>
    state.name === name ? { ...state, offsets: state.offsets.map(moved) } : state,
  );
  // Flink takes the other kind, of merged files, only with a stream that is a part of one.
  return { tag: 4, states, stream: { tag: 1, name: nameOf(handle.stream), data: out.finish() } };
}

/** Flink tells streams inside `_metadata` apart by their names. */
function nameOf(stream: StreamHandle): string {
  switch (stream?.tag) {
    case 1:
      return `${stream.name}#changed`;
    case 2:
    case 6:
    case 15:
      return `${stream.path}#changed`;
    default:
      return 'changed';
  }
}
