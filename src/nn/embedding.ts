import { OptionError } from "../errors";
import { embedding } from "../ops/indexing";
import { normal } from "../ops/random";
import type { Tensor } from "../tensor";
import { Module, parameter } from "./module";

/** A learned vector for each index: i32 [...] to [..., dim]. @see embedding */
export class Embedding extends Module {
  /** [num, dim], from the standard normal distribution at the start. */
  readonly weight: Tensor;

  constructor(
    readonly num: number,
    readonly dim: number,
  ) {
    super();
    for (const n of [num, dim]) {
      if (!Number.isInteger(n) || n < 1) throw new OptionError(`Embedding: sizes are integers ≥ 1, got ${n}`);
    }
    this.weight = parameter(normal([num, dim], 0, 1));
  }

  forward(index: Tensor): Tensor {
    return embedding(index, this.weight);
  }

  override toString(): string {
    return `Embedding(${this.num} → ${this.dim})`;
  }
}
