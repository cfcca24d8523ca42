/** The bytes that a seed makes of a corpus, always the same: a failure is found again by its seed alone. */
export function mutant(corpus: readonly Uint8Array[], seed: number): Uint8Array {
  const random = randomOf(seed);
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  let bytes = Buffer.from(pick(corpus));
  if (random(50) === 0) return pick(bombs)(random);
  for (let times = 1 + random(3); times > 0; times--) bytes = pick(mutations)(bytes, random, pick(corpus));
  return bytes;
}

/** A whole number from 0 to below `end`. */
type Random = (end: number) => number;

/** mulberry32: small, fast, and even enough here. */
function randomOf(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  return (end) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % Math.max(end, 1);
  };
}

const extremes32 = [0, 1, -1, 2, 16, 0xff, 0xffff, 0x10000, 0x7fffffff, -0x80000000, -0x7fffffff, 0x1fffffff];
const extremes64 = [0n, 1n, -1n, 2n ** 31n, 2n ** 53n, 2n ** 53n - 1n, 2n ** 63n - 1n, -(2n ** 63n)];

type Mutation = (bytes: Buffer<ArrayBuffer>, random: Random, other: Uint8Array) => Buffer<ArrayBuffer>;

const mutations: readonly Mutation[] = [
  function flipBits(bytes, random) {
    if (bytes.length === 0) return bytes;
    for (let n = random(8); n >= 0; n--) {
      const at = random(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    }
    return bytes;
  },
  function setByte(bytes, random) {
    if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  /** The kinds of handles are small numbers. */
  function setTag(bytes, random) {
    if (bytes.length > 0) bytes[random(bytes.length)] = random(20);
    return bytes;
  },
  function setVersion(bytes, random) {
    if (bytes.length >= 8) bytes.writeInt32BE(2 + random(6), 4);
    return bytes;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random(bytes.length + 1));
  },
  function splice(bytes, random, other) {
    const head = bytes.subarray(0, random(bytes.length + 1));
    return Buffer.concat([head, other.subarray(random(other.length + 1))]);
  },
  function repeat(bytes, random) {
    const from = random(bytes.length + 1);
    const piece = bytes.subarray(from, from + random(64));
    const at = random(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), ...Array(1 + random(8)).fill(piece), bytes.subarray(at)]);
  },
  function remove(bytes, random) {
    const at = random(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(64))]);
  },
  function extreme16(bytes, random) {
    if (bytes.length >= 2)
      bytes.writeUInt16BE([0, 1, 0x7fff, 0x8000, 0xffff][random(5)] ?? 0, random(bytes.length - 1));
    return bytes;
  },
  function extreme32(bytes, random) {
    if (bytes.length < 4) return bytes;
    const at = random(bytes.length - 3);
    const left = bytes.length - at - 4;
    const values = [...extremes32, left, left + 1, left >> 2, left >> 3];
    bytes.writeInt32BE(values[random(values.length)] ?? 0, at);
    return bytes;
  },
  function extreme64(bytes, random) {
    if (bytes.length >= 8) bytes.writeBigInt64BE(extremes64[random(extremes64.length)] ?? 0n, random(bytes.length - 7));
    return bytes;
  },
];

/** Files that are right up to one place, and there claim or nest far more than Flink ever writes. */
const bombs: readonly ((random: Random) => Buffer<ArrayBuffer>)[] = [
  function nestedStreams(random) {
    const level = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0]);
    return Buffer.concat([header(random, 1), operatorHead(random), Buffer.alloc(9 * random(50_000), level)]);
  },
  function nestedChangelogs(random) {
    const level = Buffer.concat([Buffer.from([8]), Buffer.alloc(16), Buffer.from([0, 0, 0, 1])]);
    const depth = random(5_000);
    const levels = Buffer.alloc(level.length * depth, level);
    return Buffer.concat([header(random, 1), operatorHead(random), Buffer.alloc(1), i32(1), Buffer.alloc(12), levels]);
  },
  /** As many elements as the file can hold of the smallest there are: finished subtasks. */
  function finishedSubtasks(random) {
    const count = random(50_000);
    const subtasks = Buffer.alloc(4 * count, 0xff);
    return Buffer.concat([header(random, 1), operatorHead(random), Buffer.alloc(1), i32(count), subtasks]);
  },
  function nullHandles(random) {
    const count = random(100_000);
    const changelog = [Buffer.from([8]), Buffer.alloc(16), i32(count), Buffer.alloc(count + 64)];
    return Buffer.concat([
      header(random, 1),
      operatorHead(random),
      Buffer.alloc(1),
      i32(1),
      Buffer.alloc(12),
      ...changelog,
    ]);
  },
  function countWithoutElements(random) {
    return Buffer.concat([header(random, extremes32[random(extremes32.length)] ?? 0), Buffer.alloc(random(100_000))]);
  },
];

function i32(value: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function header(random: Random, operators: number): Buffer<ArrayBuffer> {
  return Buffer.concat([i32(0x4960672d), i32(3 + random(4)), Buffer.alloc(12), i32(operators)]);
}

/** Up to the coordinator's handle; in versions 5 and 6 the first four bytes are two empty strings. */
function operatorHead(random: Random): Buffer<ArrayBuffer> {
  return Buffer.alloc(random(2) === 0 ? 24 : 28);
}
