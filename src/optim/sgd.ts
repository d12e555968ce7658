import { kernels } from "../wasm";
import type { ParameterList, Rule } from "./groups";
import { Optimizer } from "./optimizer";

/** The options of `SGD`. */
export interface SGDOptions {
  /** Learning rate; default 0.001. */
  lr?: number;
  /** Share of the last step's direction that is kept; default 0. */
  momentum?: number;
  /** Share of the gradient that momentum leaves out; default 0. */
  dampening?: number;
  /** Look ahead along the momentum; default false. Sutskever et al. 2013. */
  nesterov?: boolean;
  /** L2 penalty: weightDecay · w is added to the gradient; default 0. */
  weightDecay?: number;
  /** L1 penalty: l1 · sign(w) is added to the gradient; default 0. */
  l1?: number;
}

const rule: Rule<Required<SGDOptions>> = {
  name: "SGD",
  // In the order of SgdOptions in assembly/optimizers.ts.
  defaults: { lr: 1e-3, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0, l1: 0 },
  averages: { momentum_buffer: ({ momentum }) => momentum !== 0 },
  counted: false,
  refuse: ({ nesterov, momentum, dampening }) =>
    nesterov && (momentum === 0 || dampening !== 0)
      ? "nesterov wants a momentum above 0 and no dampening"
      : undefined,
};

/**
 * Stochastic gradient descent, as torch.optim.SGD: w −= lr · g, or with momentum b = momentum · b + (1 −
 * dampening) g, which is g in the first step, and w −= lr · b; with Nesterov w −= lr (g + momentum · b). g
 * carries the penalties.
 *
 * Keras' default lr is 0.01, and its momentum holds lr · g instead of g: the same as long as lr stays. It has
 * no dampening, and its weight_decay is decoupled in every optimizer, as AdamW's is here.
 * @throws OptionError for options out of range, or Nesterov without momentum or with dampening
 */
export class SGD extends Optimizer<Required<SGDOptions>> {
  constructor(parameters: ParameterList<SGDOptions>, options?: SGDOptions) {
    super(rule, parameters, options);
  }

  protected update(g: number, w: number, [b]: number[], step: number, hyper: number, n: number): void {
    kernels.sgdStep(g, w, b!, step, hyper, n);
  }
}
