import { withDefaults } from "../errors";
import { checkProbability, dropout, dropoutDefaults } from "../ops/random";
import type { Tensor } from "../tensor";
import { Module } from "./module";

/** Zeroes elements at random in training; in evaluation it does nothing. @see dropout */
export class Dropout extends Module {
  readonly options: { p: number };

  /** @param options.p probability of an element to become 0; default 0.5 */
  constructor(options?: { p?: number }) {
    super();
    this.options = withDefaults("Dropout", { p: dropoutDefaults.p }, options);
    checkProbability("Dropout", this.options.p);
  }

  forward(x: Tensor): Tensor {
    return dropout(x, { ...this.options, training: this.training });
  }
}
