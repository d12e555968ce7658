import { OptionError, withDefaults } from "../errors";
import type { Tensor } from "../tensor";
import { kernels } from "../wasm";
import { Optimizer, type ParameterState } from "./optimizer";

// In the order of SgdOptions in assembly/optimizers.ts.
const defaults = { lr: 1e-3, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0, l1: 0 };

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

/** Stochastic gradient descent: b = momentum · b + (1 − dampening) g, w −= lr · b, as torch.optim.SGD. */
export class SGD extends Optimizer<typeof defaults> {
  constructor(parameters: readonly Tensor[], options?: SGDOptions) {
    const all = withDefaults("SGD", defaults, options);
    if (all.nesterov && (all.momentum === 0 || all.dampening !== 0)) {
      throw new OptionError("SGD: nesterov wants a momentum above 0 and no dampening");
    }
    super("SGD", parameters, all, defaults);
  }

  protected update(state: ParameterState, gradient: Tensor, hyper: number): void {
    const { parameter, step } = state;
    const buffer = this.options.momentum === 0 ? 0 : this.average(state, "momentumBuffer");
    kernels.sgdStep(gradient.ptr, parameter.ptr, buffer, step.ptr, hyper, parameter.size);
  }
}
