import { withDefaults } from "../errors";
import { checkProbability, dropout, dropoutDefaults } from "../ops/random";
import type { Tensor } from "../tensor";
import { Module } from "./module";

/**
 * x / (1 − p) or 0, drawn for each element, in training; in evaluation y = x.
 * @see dropout
 */
export class Dropout extends Module {
  readonly options: { p: number };

  /**
   * @param options.p probability of an element to become 0; default 0.5
   * @throws OptionError for p outside [0, 1]
   */
  constructor(options?: { p?: number }) {
    super();
    this.options = withDefaults("Dropout", { p: dropoutDefaults.p }, options);
    checkProbability("Dropout", this.options.p);
  }

  forward(x: Tensor): Tensor {
    return dropout(x, { ...this.options, training: this.training });
  }
}
