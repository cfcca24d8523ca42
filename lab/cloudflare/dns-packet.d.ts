/** The part of the package that the lab uses; it brings no types of its own. */
declare module 'dns-packet' {
  interface Packet {
    decode(bytes: Buffer): import('./dns-wire.ts').Message;
    encode(message: Partial<import('./dns-wire.ts').Message>): Buffer;
    readonly AUTHORITATIVE_ANSWER: number;
    readonly TRUNCATED_RESPONSE: number;
    readonly RECURSION_DESIRED: number;
  }
  const packet: Packet;
  export default packet;
}
