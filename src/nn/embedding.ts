import { OptionError, text, withDefaults } from "../errors";
import { type EmbeddingOptions, embedding, embeddingDefaults, paddingRow } from "../ops/indexing";
import { normal } from "../ops/random";
import type { Tensor } from "../tensor";
import { Module, parameter } from "./module";

/**
 * A learned vector for each index: i32 [...] to [..., dim]. As torch.nn.Embedding; Keras starts uniform
 * within ±0.05 and hides padding by a mask instead.
 * @see embedding
 */
export class Embedding extends Module {
  /** [num, dim], from the standard normal distribution at the start; zeros in the row `paddingIdx`. */
  readonly weight: Tensor;
  readonly options: EmbeddingOptions;

  /**
   * @param num number of vectors: indices are 0 … num − 1
   * @param dim length of each
   * @param options.paddingIdx a row that starts as zeros and gets no gradient, so that optimizers without
   *   weight decay leave it alone; below 0 it counts from the end. Default: none
   * @throws OptionError for sizes that are no integers ≥ 1, or a paddingIdx that is no row
   */
  constructor(
    readonly num: number,
    readonly dim: number,
    options?: EmbeddingOptions,
  ) {
    super();
    for (const n of [num, dim]) {
      if (!Number.isInteger(n) || n < 1)
        throw new OptionError(`Embedding: sizes are integers ≥ 1, got ${text(n)}`);
    }
    this.options = withDefaults("Embedding", embeddingDefaults, options);
    const padding = paddingRow("Embedding", this.options.paddingIdx, num);
    this.weight = parameter(normal("Embedding", [num, dim], 0, 1));
    if (padding >= 0) this.weight.view().fill(0, padding * dim, (padding + 1) * dim);
  }

  /** The vectors of indices: [...] to [..., embeddingDim]. */
  forward(index: Tensor): Tensor {
    return embedding(index, this.weight, this.options);
  }

  override toString(): string {
    return `Embedding(${this.num} → ${this.dim})`;
  }
}
