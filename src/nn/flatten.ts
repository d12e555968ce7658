import { ShapeError, withDefaults } from "../errors";
import { reshape } from "../ops/layout";
import { dimension, rankOf } from "../ops/shapes";
import { expectTensor, sizeOf, type Tensor } from "../tensor";
import { Module } from "./module";

/**
 * Joins the dimensions startDim … endDim into one: [batch, a, b] to [batch, a · b]. It shares memory with its
 * input.
 * @throws ShapeError for dimensions that do not exist, or a startDim after endDim
 */
export class Flatten extends Module {
  readonly options: { startDim: number; endDim: number };

  /**
   * @param options.startDim the first to join; default 1, so that a batch stays one
   * @param options.endDim the last to join; default −1
   */
  constructor(options?: { startDim?: number; endDim?: number }) {
    super();
    this.options = withDefaults("Flatten", { startDim: 1, endDim: -1 }, options);
  }

  forward(x: Tensor): Tensor {
    expectTensor("flatten", x);
    const { startDim, endDim } = this.options;
    const [first, last] = [startDim, endDim].map((d) => dimension("flatten", d, rankOf(x))) as [
      number,
      number,
    ];
    if (first > last) {
      throw new ShapeError(`flatten: startDim ${startDim} comes after endDim ${endDim} in ${x.describe()}`);
    }
    const joined = sizeOf(x.shape.slice(first, last + 1));
    return reshape(x, [...x.shape.slice(0, first), joined, ...x.shape.slice(last + 1)]);
  }
}
