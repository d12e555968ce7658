import { kernels } from "../wasm";
import type { ParameterList, Rule } from "./groups";
import { Optimizer } from "./optimizer";

/** The options of `Adam`. */
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

/** The options of `AdamW`. */
export interface AdamWOptions extends AdamOptions {
  /** w −= lr · weightDecay · w before each step; default 0.01. */
  weightDecay?: number;
}

function adamRule(name: string, weightDecay: number, decoupled: boolean): Rule<Required<AdamOptions>> {
  return {
    name,
    decoupled,
    // In the order of AdamOptions in assembly/optimizers.ts.
    defaults: { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay, l1: 0, amsgrad: false },
    averages: { exp_avg: () => true, exp_avg_sq: () => true, max_exp_avg_sq: ({ amsgrad }) => amsgrad },
    counted: true,
  };
}

const rules = { adam: adamRule("Adam", 0, false), adamw: adamRule("AdamW", 1e-2, true) };

/** The step that Adam and AdamW share. */
abstract class AdamStep extends Optimizer<Required<AdamOptions>> {
  protected update(g: number, w: number, averages: number[], step: number, hyper: number, n: number): void {
    const [m, v, max] = averages as [number, number, number];
    kernels.adamStep(g, w, m, v, max, step, hyper, n, Number(this.rule.decoupled));
  }
}

/**
 * Adam, as torch.optim.Adam. Kingma and Ba 2015: m = β1 m + (1 − β1) g, v = β2 v + (1 − β2) g², and in step t
 * = 1, 2, … w −= lr · m / (1 − β1^t) / (√(v / (1 − β2^t)) + eps). g carries the penalties.
 *
 * Keras and ONNX add eps (1e-7 and 1e-6) to √v before the bias is corrected, which is more at first, and
 * Keras' weight_decay is decoupled.
 * @throws OptionError for options out of range
 */
export class Adam extends AdamStep {
  constructor(parameters: ParameterList<AdamOptions>, options?: AdamOptions) {
    super(rules.adam, parameters, options);
  }
}

/**
 * Adam whose weight decay does not pass through the averages: w −= lr · weightDecay · w before each step, as
 * torch.optim.AdamW. Loshchilov and Hutter 2019. The L1 penalty is part of the gradient, as in Adam. Keras'
 * default weight_decay is 0.004, here 0.01.
 * @throws OptionError for options out of range
 */
export class AdamW extends AdamStep {
  constructor(parameters: ParameterList<AdamWOptions>, options?: AdamWOptions) {
    super(rules.adamw, parameters, options);
  }
}
