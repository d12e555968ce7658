// Reference steps of the optimizers in float64, and what their tests have in common.
import { expect } from "vitest";
import {
  Adagrad,
  type AdagradOptions,
  Adam,
  type AdamOptions,
  AdamW,
  RMSprop,
  type RMSpropOptions,
  SGD,
  type SGDOptions,
  type Tensor,
  tensor,
} from "../src/index";

export type AnyOptimizer = SGD | Adam | AdamW | RMSprop | Adagrad;

export const START = [0.5, -1.25, 0, 2, -0.75, 1e-3, -3];
/** Gradients of five steps; 7 elements leave a tail beyond four lanes. */
export const GRADIENTS = [
  [0.1, -0.2, 0.3, 0, 1, -1, 0.5],
  [-0.4, 0.25, 0.125, 2, -0.5, 0, 0.75],
  [0.3, 0.3, -0.3, -2, 0.01, 3, -0.25],
  [0, 0, 0, 0, 0, 0, 0],
  [1, -1, 0.5, -0.5, 0.25, -0.25, 4],
];

export type Step = (w: number[], g: number[], t: number) => number[];

/** g + weightDecay · w + l1 · sign w */
function penalised(w: number[], g: number[], { weightDecay = 0, l1 = 0 }): number[] {
  return g.map((v, i) => v + weightDecay * w[i]! + l1 * Math.sign(w[i]!));
}

/** torch.optim.SGD in float64. Reads the options in each step. */
export function sgd(options: SGDOptions): Step {
  let buffer: number[] | undefined;
  return (w, gradient) => {
    const { lr = 1e-3, momentum = 0, dampening = 0, nesterov = false } = options;
    const g = penalised(w, gradient, options);
    if (momentum === 0) return w.map((v, i) => v - lr * g[i]!);
    buffer = buffer?.map((b, i) => momentum * b + (1 - dampening) * g[i]!) ?? g;
    const direction = nesterov ? g.map((v, i) => v + momentum * buffer![i]!) : buffer;
    return w.map((v, i) => v - lr * direction[i]!);
  };
}

/** torch.optim.Adam without amsgrad in float64. Reads the options in each step. */
export function adam(options: AdamOptions): Step {
  const [zero, penalties] = [START.map(() => 0), () => options];
  return adamWith(options, penalties, zero, zero);
}

/** torch.optim.AdamW without amsgrad: the weights decay first, and the gradient has no part of that. */
export function adamw(options: AdamOptions): Step {
  const zero = START.map(() => 0);
  const step = adamWith(options, () => ({ l1: options.l1 ?? 0 }), zero, zero);
  return (w, g, t) => {
    const { lr = 1e-3, weightDecay = 1e-2 } = options;
    return step(
      w.map((x) => x * (1 - lr * weightDecay)),
      g,
      t,
    );
  };
}

function adamWith(options: AdamOptions, penalties: () => AdamOptions, m: number[], v: number[]): Step {
  return (w, gradient, t) => {
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8 } = options;
    const [beta1, beta2] = betas;
    const g = penalised(w, gradient, penalties());
    m = m.map((a, i) => beta1 * a + (1 - beta1) * g[i]!);
    v = v.map((a, i) => beta2 * a + (1 - beta2) * g[i]! ** 2);
    const rate = lr / (1 - beta1 ** t);
    const root = Math.sqrt(1 - beta2 ** t);
    return w.map((x, i) => x - (rate * m[i]!) / (Math.sqrt(v[i]!) / root + eps));
  };
}

/** torch.optim.RMSprop in float64. Reads the options in each step. */
export function rmsprop(options: RMSpropOptions): Step {
  let [v, a, b] = [START, START, START].map((x) => x.map(() => 0)) as [number[], number[], number[]];
  return (w, gradient) => {
    const { lr = 1e-2, alpha = 0.99, eps = 1e-8, momentum = 0, centered = false } = options;
    const g = penalised(w, gradient, options);
    v = v.map((x, i) => alpha * x + (1 - alpha) * g[i]! ** 2);
    if (centered) a = a.map((x, i) => alpha * x + (1 - alpha) * g[i]!);
    const u = g.map((x, i) => x / (Math.sqrt(Math.max(v[i]! - (centered ? a[i]! ** 2 : 0), 0)) + eps));
    if (momentum > 0) b = b.map((x, i) => momentum * x + u[i]!);
    return w.map((x, i) => x - lr * (momentum > 0 ? b : u)[i]!);
  };
}

/** torch.optim.Adagrad in float64. Reads the options in each step. */
export function adagrad(options: AdagradOptions): Step {
  let s = START.map(() => options.initialAccumulatorValue ?? 0);
  return (w, gradient, t) => {
    const { lr = 1e-2, lrDecay = 0, eps = 1e-10 } = options;
    const g = penalised(w, gradient, options);
    s = s.map((x, i) => x + g[i]! ** 2);
    return w.map((x, i) => x - ((lr / (1 + (t - 1) * lrDecay)) * g[i]!) / (Math.sqrt(s[i]!) + eps));
  };
}

export function setGradient(parameter: Tensor, values: number[]): void {
  parameter.zeroGrad();
  parameter.backward({ gradient: tensor(values) });
}

/** Five float32 steps with weights and updates up to 4 round by some 1e-6. */
export function expectClose(got: Tensor, want: number[]): void {
  const distances = want.map((w, i) => Math.abs(got.data[i]! - w));
  expect(Math.max(...distances)).toBeLessThan(4e-6);
}

export const parameter = () => tensor(START, { requiresGrad: true });

/** Every optimizer, with options under which it keeps state. */
export const kinds = [
  {
    name: "SGD",
    make: (p: Tensor[], o?: object): AnyOptimizer => new SGD(p, o),
    reference: sgd as (options: object) => Step,
    stateful: { lr: 0.1, momentum: 0.9 },
    keys: ["momentum_buffer"],
  },
  {
    name: "Adam",
    make: (p: Tensor[], o?: object): AnyOptimizer => new Adam(p, o),
    reference: adam as (options: object) => Step,
    stateful: { lr: 0.1 },
    keys: ["step", "exp_avg", "exp_avg_sq"],
  },
  {
    name: "AdamW",
    make: (p: Tensor[], o?: object): AnyOptimizer => new AdamW(p, o),
    reference: adamw as (options: object) => Step,
    stateful: { lr: 0.1, weightDecay: 0.2 },
    keys: ["step", "exp_avg", "exp_avg_sq"],
  },
  {
    name: "RMSprop",
    make: (p: Tensor[], o?: object): AnyOptimizer => new RMSprop(p, o),
    reference: rmsprop as (options: object) => Step,
    stateful: { lr: 0.1, momentum: 0.5, alpha: 0.9, eps: 0.1 },
    keys: ["step", "square_avg", "momentum_buffer"],
  },
  {
    name: "Adagrad",
    make: (p: Tensor[], o?: object): AnyOptimizer => new Adagrad(p, o),
    reference: adagrad as (options: object) => Step,
    stateful: { lr: 0.1, lrDecay: 0.1 },
    keys: ["step", "sum"],
  },
];
