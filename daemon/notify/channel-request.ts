/** One message as a channel's service takes it. */
export interface ChannelRequest {
  /** May be a secret: it stands in no log and no error. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A message with what only the sender knows. */
export interface Envelope {
  /** The same at every attempt: who takes it twice can tell. */
  readonly id: string;
  /** What tells this pair of regions from others. */
  readonly source: string;
  readonly sentAtMs: number;
}
