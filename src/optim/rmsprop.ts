import { kernels } from "../wasm";
import type { ParameterList, Rule } from "./groups";
import { Optimizer } from "./optimizer";

/** The options of `RMSprop`. */
export interface RMSpropOptions {
  /** Learning rate; default 0.01. */
  lr?: number;
  /** Decay of the averages, from 0 to 1; default 0.99. */
  alpha?: number;
  /** Added to the denominator; default 1e-8. */
  eps?: number;
  /** Share of the last step's direction that is kept; default 0. */
  momentum?: number;
  /** Divide by the deviation of the gradient instead of its size, 0 where rounding leaves less (PyTorch: NaN); default false. */
  centered?: boolean;
  /** L2 penalty: weightDecay · w is added to the gradient; default 0. */
  weightDecay?: number;
  /** L1 penalty: l1 · sign(w) is added to the gradient; default 0. */
  l1?: number;
}

const rule: Rule<Required<RMSpropOptions>> = {
  name: "RMSprop",
  // In the order of RmspropOptions in assembly/optimizers.ts.
  defaults: { lr: 1e-2, alpha: 0.99, eps: 1e-8, momentum: 0, centered: false, weightDecay: 0, l1: 0 },
  averages: {
    square_avg: () => true,
    grad_avg: ({ centered }) => centered,
    momentum_buffer: ({ momentum }) => momentum !== 0,
  },
  counted: true,
  refuse: ({ alpha }) => (alpha <= 1 ? undefined : `alpha is a number from 0 to 1, got ${alpha}`),
};

/**
 * w −= lr · g / (√v + eps) with v = alpha · v + (1 − alpha) g², as torch.optim.RMSprop. `centered` subtracts
 * from v the square of the average gradient; with momentum b = momentum · b + g / (√v + eps) and w −= lr · b.
 * Tieleman and Hinton 2012. g carries the penalties.
 *
 * Keras adds eps (1e-7) inside the root, and has lr 0.001 and rho = alpha = 0.9 by default.
 * @throws OptionError for options out of range
 */
export class RMSprop extends Optimizer<Required<RMSpropOptions>> {
  constructor(parameters: ParameterList<RMSpropOptions>, options?: RMSpropOptions) {
    super(rule, parameters, options);
  }

  protected update(g: number, w: number, [v, a, b]: number[], _: number, hyper: number, n: number): void {
    kernels.rmspropStep(g, w, v!, a!, b!, hyper, n);
  }
}
