/**
 * What each replayed op did to which items: inserted them, or deleted them. Flat arrays, because a
 * document has an op for every few keystrokes.
 */
export class Effects {
  /** Of each op: where its effects begin and end. */
  readonly #begins: number[] = [];
  readonly #ends: number[] = [];
  readonly #starts: number[] = [];
  /** Negative for a deletion. */
  readonly #lengths: number[] = [];

  /** Following effects are of this op. */
  begin(op: number): void {
    this.#begins[op] = this.#starts.length;
    this.#ends[op] = this.#starts.length;
  }

  add(op: number, isInsert: boolean, start: number, length: number): void {
    this.#starts.push(start);
    this.#lengths.push(isInsert ? length : -length);
    this.#ends[op] = this.#starts.length;
  }

  forEach(op: number, visit: (isInsert: boolean, start: number, length: number) => void): void {
    for (let at = this.#begins[op]!; at < this.#ends[op]!; at += 1) {
      const length = this.#lengths[at]!;
      visit(length > 0, this.#starts[at]!, Math.abs(length));
    }
  }
}
