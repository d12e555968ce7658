import { OptionError, withDefaults } from "../errors";
import type { Tensor } from "../tensor";
import { kernels } from "../wasm";
import { Optimizer, type ParameterState } from "./optimizer";

// In the order of AdamOptions in assembly/optimizers.ts.
const defaults = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, l1: 0, amsgrad: false };

export interface AdamOptions {
  /** Learning rate; default 0.001. */
  lr?: number;
  /** Decay of the averages of the gradient and of its square; default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator; default 1e-8. */
  eps?: number;
  /** L2 penalty: weightDecay · w is added to the gradient; default 0. */
  weightDecay?: number;
  /** L1 penalty: l1 · sign(w) is added to the gradient; default 0. */
  l1?: number;
  /** Divide by the largest average so far; default false. Reddi et al. 2018. */
  amsgrad?: boolean;
}

/** Adam, as torch.optim.Adam. Kingma and Ba 2015. */
export class Adam extends Optimizer<typeof defaults> {
  constructor(parameters: readonly Tensor[], options?: AdamOptions) {
    const { beta1, beta2, ...rest } = defaults;
    const { betas, ...others } = withDefaults(
      "Adam",
      { ...rest, betas: [beta1, beta2] as readonly [number, number] },
      options,
    );
    if (!Array.isArray(betas) || betas.length !== 2 || !betas.every((b) => b >= 0 && b < 1)) {
      throw new OptionError(`Adam: betas are two numbers from 0 to below 1, got ${JSON.stringify(betas)}`);
    }
    const { lr, eps, weightDecay, l1, amsgrad } = others;
    super(
      "Adam",
      parameters,
      { lr, beta1: betas[0], beta2: betas[1], eps, weightDecay, l1, amsgrad },
      defaults,
    );
  }

  protected update(state: ParameterState, gradient: Tensor, hyper: number): void {
    const { parameter, step } = state;
    const [m, v] = [this.average(state, "expAvg"), this.average(state, "expAvgSq")];
    const max = this.options.amsgrad ? this.average(state, "maxExpAvgSq") : 0;
    kernels.adamStep(gradient.ptr, parameter.ptr, m, v, max, step.ptr, hyper, parameter.size);
  }
}
