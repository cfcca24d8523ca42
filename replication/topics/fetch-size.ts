/** How a partition's last answer came out. */
export interface FetchOutcome {
  /** What was asked for at most. */
  readonly askedBytes: number;
  readonly receivedBytes: number;
  /** The source has more behind it. */
  readonly moreThere: boolean;
}

/**
 * How much of a partition to ask for next: it doubles while there is more behind an answer, since over a distance one
 * answer a round trip is all that a partition gets, and is halved when little comes. Pure.
 */
export function nextFetchBytes(outcome: FetchOutcome, least: number, most: number): number {
  const { askedBytes, receivedBytes, moreThere } = outcome;
  if (moreThere) return Math.min(most, askedBytes * 2);
  return receivedBytes < askedBytes / 4 ? Math.max(least, askedBytes / 2) : askedBytes;
}

/** How the partitions of one broker are fetched. */
export interface FetchPlan {
  readonly connections: number;
  /** Of one answer on each. */
  readonly answerBytes: number;
  /** Of one partition in it: from so much, as far as it grows. */
  readonly partitionBytes: { readonly least: number; readonly most: number };
}

const farMs = 10;
const connectionsAtMost = 4;

/**
 * Near by: one connection. Over a distance: larger answers, and several connections, over which the partitions are
 * spread. One TCP connection carries one window a round trip, and brokers keep that small unless told otherwise
 * (`socket.send.buffer.bytes`). The answers on their way stay bounded in sum. Pure.
 */
export function planFetches(
  roundTripMs: number,
  partitions: number,
  tuning: { readonly fetchMaxBytes: number; readonly farFetchMaxBytes: number; readonly partitionMaxBytes: number },
): FetchPlan {
  const { fetchMaxBytes, farFetchMaxBytes, partitionMaxBytes } = tuning;
  const near = { least: partitionMaxBytes, most: partitionMaxBytes };
  if (roundTripMs < farMs) return { connections: 1, answerBytes: fetchMaxBytes, partitionBytes: near };
  const connections = Math.max(1, Math.min(connectionsAtMost, partitions, Math.ceil(roundTripMs / 20)));
  const share = Math.floor((farFetchMaxBytes * 2) / connections);
  const answerBytes = Math.max(partitionMaxBytes, Math.min(farFetchMaxBytes, share));
  return { connections, answerBytes, partitionBytes: { least: partitionMaxBytes, most: answerBytes } };
}
