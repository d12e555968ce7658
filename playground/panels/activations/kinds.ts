// What there is to choose: the activations of the library, and their options with their defaults.
import { choice, flag, number } from "../../settings";

export const GROUPS = {
  bounded: ["sigmoid", "tanh", "softsign", "hardsigmoid", "hardtanh"],
  rectifiers: ["relu", "leakyRelu", "prelu", "rrelu", "relu6"],
  smooth: ["elu", "celu", "selu", "softplus"],
  gated: ["silu", "gelu", "mish", "hardswish"],
  several: ["softmax", "logSoftmax", "hardmax", "maxout"],
  others: ["identity", "logSigmoid"],
} as const;

export type Group = keyof typeof GROUPS;
export type Activation = (typeof GROUPS)[Group][number];

export const ACTIVATIONS: readonly Activation[] = Object.values(GROUPS).flat();

/** Options by name, all in one: `z2` and `z3` are the other logits of softmax and its like, `slope` is prelu's. */
export const OPTIONS = {
  negativeSlope: number(0.01, { min: -1, max: 1 }),
  slope: number(0.25, { min: -1, max: 1 }),
  lower: number(0.125, { min: -1, max: 1 }),
  upper: number(1 / 3, { min: -1, max: 1 }),
  training: flag(false),
  alpha: number(1, { min: 0, max: 4 }),
  beta: number(1, { min: 0.2, max: 5 }),
  threshold: number(20, { min: 0, max: 20 }),
  approximate: choice<"none" | "tanh">("none", ["none", "tanh"]),
  minVal: number(-1, { min: -4, max: 4 }),
  maxVal: number(1, { min: -4, max: 4 }),
  k: number(3, { min: 2, max: 6, integer: true }),
  z2: number(0, { min: -6, max: 6 }),
  z3: number(1, { min: -6, max: 6 }),
};

export type Option = keyof typeof OPTIONS;

/** Their values. */
export type Options = { readonly [K in Option]: (typeof OPTIONS)[K]["initial"] };

/** Those that an activation takes. */
export const TAKES: Readonly<Partial<Record<Activation, readonly Option[]>>> = {
  leakyRelu: ["negativeSlope"],
  prelu: ["slope"],
  rrelu: ["lower", "upper", "training"],
  elu: ["alpha"],
  celu: ["alpha"],
  softplus: ["beta", "threshold"],
  gelu: ["approximate"],
  hardtanh: ["minVal", "maxVal"],
  softmax: ["z2", "z3"],
  logSoftmax: ["z2", "z3"],
  hardmax: ["z2", "z3"],
  maxout: ["k"],
};
