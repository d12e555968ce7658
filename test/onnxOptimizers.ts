// ONNX's operators that are steps of an optimizer, from given states, and the types that all operators share.

import type { Tensor } from "../src/index";
import * as nablas from "../src/index";

export interface Attributes {
  [name: string]: unknown;
  axis?: number;
  alpha?: number;
  beta?: number;
  epsilon?: number;
}

/**
 * What an operator makes of its inputs, of which optional ones may be undefined: one tensor, or several.
 * @param outputs how many the node wants
 */
export type Operation = (inputs: Tensor[], attributes: Attributes, outputs: number) => Tensor | Tensor[];

type AnyOptimizer = nablas.SGD | nablas.Adam | nablas.Adagrad;

/**
 * Inputs are the rate, the count of steps before this one, all parameters, all gradients, and each kind of state in
 * turn; outputs the new parameters and states. `norm_coefficient` is the weight decay.
 */
function optimizer(
  names: string[],
  make: (params: Tensor[], lr: number, past: number, attributes: Attributes) => AnyOptimizer,
): Operation {
  return ([rate, count, ...rest], attributes) => {
    const n = rest.length / (2 + names.length);
    const kinds = Array.from({ length: 2 + names.length }, (_, i) => rest.slice(i * n, (i + 1) * n));
    const [parameters, gradients, ...states] = kinds as [Tensor[], Tensor[], ...Tensor[][]];
    for (const [i, parameter] of parameters.entries()) {
      parameter.requiresGrad = true;
      parameter.grad = gradients[i]!;
    }
    const opt = make(parameters, rate!.item(), count!.item(), attributes);
    const stepped = opt instanceof nablas.SGD ? [] : [["step", count!.item()] as const];
    const stateOf = (i: number) =>
      Object.fromEntries([...stepped, ...names.map((name, k) => [name, states[k]![i]!] as const)]);
    const state = Object.fromEntries(parameters.map((_, i) => [i, stateOf(i)]));
    opt.loadStateDict({ ...opt.stateDict(), state });
    opt.step();
    const after = opt.stateDict().state;
    return [...parameters, ...names.flatMap((name) => parameters.map((_, i) => after[i]![name]!))];
  };
}

/** The share `beta` of the gradient is 1 in the very first step. */
export const momentum = optimizer(["momentum_buffer"], (params, lr, past, { alpha, beta, mode, ...rest }) => {
  const dampening = past > 0 ? 1 - beta! : 0;
  const weightDecay = rest.norm_coefficient as number;
  return new nablas.SGD(params, {
    lr,
    momentum: alpha!,
    dampening,
    nesterov: mode === "nesterov",
    weightDecay,
  });
});

export const adagrad = optimizer(["sum"], (params, lr, _, { epsilon: eps, ...rest }) => {
  const weightDecay = rest.norm_coefficient as number;
  return new nablas.Adagrad(params, { lr, lrDecay: rest.decay_factor as number, eps: eps!, weightDecay });
});

/**
 * lr √(1 − β^t) / (1 − α^t) · m / (√v + eps) with t steps before this one, and no correction where t = 0. Here it is
 * lr / (1 − α^t) · m / (√(v / (1 − β^t)) + eps) with t ≥ 1 counting this one: rate and eps make up for that.
 */
export const adam = optimizer(["exp_avg", "exp_avg_sq"], (params, rate, past, attributes) => {
  const { alpha = 0.9, beta = 0.999, epsilon = 1e-6, norm_coefficient: weightDecay } = attributes;
  const correction = (t: number) => (t === 0 ? 1 : Math.sqrt(1 - beta ** t) / (1 - alpha ** t));
  const lr = (rate * correction(past)) / correction(past + 1);
  const eps = epsilon / Math.sqrt(1 - beta ** (past + 1));
  return new nablas.Adam(params, { lr, betas: [alpha, beta], eps, weightDecay: weightDecay as number });
});
