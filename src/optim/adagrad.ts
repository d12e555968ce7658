import { kernels } from "../wasm";
import type { ParameterList, Rule } from "./groups";
import { Optimizer } from "./optimizer";

/** The options of `Adagrad`. */
export interface AdagradOptions {
  /** Learning rate; default 0.01. */
  lr?: number;
  /** The rate of step t = 1, 2, … is lr / (1 + (t − 1) lrDecay); default 0. */
  lrDecay?: number;
  /** Added to the denominator; default 1e-10. */
  eps?: number;
  /** L2 penalty: weightDecay · w is added to the gradient; default 0. */
  weightDecay?: number;
  /** L1 penalty: l1 · sign(w) is added to the gradient; default 0. */
  l1?: number;
  /** Where the sums of squares begin, read at a parameter's first step; default 0. */
  initialAccumulatorValue?: number;
}

const rule: Rule<Required<AdagradOptions>> = {
  name: "Adagrad",
  // In the order of AdagradOptions in assembly/optimizers.ts.
  defaults: { lr: 1e-2, lrDecay: 0, eps: 1e-10, weightDecay: 0, l1: 0, initialAccumulatorValue: 0 },
  averages: { sum: () => true },
  start: ({ initialAccumulatorValue }) => initialAccumulatorValue,
  counted: true,
};

/**
 * w −= lr / (1 + (t − 1) lrDecay) · g / (√s + eps) in step t = 1, 2, … with s the sum of all g², as
 * torch.optim.Adagrad. Duchi, Hazan and Singer 2011. g carries the penalties.
 *
 * Keras adds eps (1e-7) inside the root, starts s at 0.1, and has lr 0.001 by default.
 * @throws OptionError for options out of range
 */
export class Adagrad extends Optimizer<Required<AdagradOptions>> {
  constructor(parameters: ParameterList<AdagradOptions>, options?: AdagradOptions) {
    super(rule, parameters, options);
  }

  protected update(g: number, w: number, [s]: number[], step: number, hyper: number, n: number): void {
    kernels.adagradStep(g, w, s!, step, hyper, n);
  }
}
