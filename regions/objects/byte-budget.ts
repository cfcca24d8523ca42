/** Gives out so many bytes of memory at most, in the order in which they are asked for. */
export class ByteBudget {
  readonly #bytes: number;
  #used = 0;
  readonly #waiting: { readonly bytes: number; go(): void }[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Resolves when so many are free, and takes them; more than there are in all take everything. */
  async take(bytes: number): Promise<void> {
    const wanted = Math.min(bytes, this.#bytes);
    if (this.#waiting.length === 0 && this.#used + wanted <= this.#bytes) {
      this.#used += wanted;
      return;
    }
    await new Promise<void>((go) => this.#waiting.push({ bytes: wanted, go }));
  }

  /** Gives back what `take` gave. */
  giveBack(bytes: number): void {
    this.#used -= Math.min(bytes, this.#bytes);
    for (let next = this.#waiting[0]; next && this.#used + next.bytes <= this.#bytes; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#used += next.bytes;
      next.go();
    }
  }
}
