// How the library computes the ops of the files in test/oracle.

import type { Tensor } from "../src/index";
import * as nablas from "../src/index";

type Input = "x" | "a" | "b" | "w" | "slope" | "pred" | "target" | "x1" | "x2";
export type Inputs = Record<Input, Tensor> & { c?: Tensor };

/** How the library computes an op of the files. */
export interface Operation {
  forward: (inputs: Inputs, options: Record<string, unknown>) => Tensor;
  /** Params and inputs that are options, named in camelCase. */
  options?: readonly string[];
  /** Params that the shapes of the inputs say already. */
  implied?: readonly string[];
  /** Params that the library does not offer, with its constants. */
  fixed?: Readonly<Record<string, unknown>>;
}

function unary<O>(fn: (x: Tensor, options: O) => Tensor, ...options: string[]): Operation {
  return { forward: ({ x }, given) => fn(x, given as O), options };
}

function loss<O>(fn: (pred: Tensor, target: Tensor, options: O) => Tensor, ...options: string[]): Operation {
  return {
    forward: ({ pred, target }, given) => fn(pred, target, given as O),
    options: ["reduction", ...options],
  };
}

function product({ a, b }: Inputs, { transA, transB }: Record<string, unknown>): Tensor {
  return nablas.matmul(a, b, { transposeA: transA as boolean, transposeB: transB as boolean });
}

export const operations: Record<string, Operation> = {
  identity: unary(nablas.identity),
  sigmoid: unary(nablas.sigmoid),
  tanh: unary(nablas.tanh),
  relu: unary(nablas.relu),
  leaky_relu: unary(nablas.leakyRelu, "negative_slope"),
  rrelu_eval: unary(nablas.rrelu, "lower", "upper"),
  prelu: { forward: ({ x, slope }) => nablas.prelu(x, slope), implied: ["channel_dim"] },
  elu: unary(nablas.elu, "alpha"),
  softplus: unary(nablas.softplus, "beta", "threshold"),
  celu: unary(nablas.celu, "alpha"),
  selu: unary(nablas.selu),
  gelu: unary(nablas.gelu, "approximate"),
  silu: unary(nablas.silu),
  mish: unary(nablas.mish),
  softsign: unary(nablas.softsign),
  hardtanh: unary(nablas.hardtanh, "min_val", "max_val"),
  hardsigmoid: unary(nablas.hardsigmoid),
  hardswish: unary(nablas.hardswish),
  relu6: unary(nablas.relu6),
  logsigmoid: unary(nablas.logSigmoid),
  maxout: unary(nablas.maxout, "k"),
  hardmax: unary(nablas.hardmax, "dim"),

  softmax: unary(nablas.softmax, "dim"),
  log_softmax: unary(nablas.logSoftmax, "dim"),
  logsumexp: unary(nablas.logSumExp, "dim"),

  mse: loss(nablas.mseLoss),
  mae: loss(nablas.l1Loss),
  msle: { ...loss(nablas.msleLoss), fixed: { eps: 1e-7 } },
  mape: { ...loss(nablas.mapeLoss), fixed: { eps: 1e-7 } },
  smooth_l1: loss(nablas.smoothL1Loss, "beta"),
  huber: loss(nablas.huberLoss, "delta"),
  log_cosh: loss(nablas.logCoshLoss),
  bce: loss(nablas.bceLoss, "weight"),
  bce_with_logits: loss(nablas.bceWithLogitsLoss, "weight", "pos_weight"),
  focal: loss(nablas.focalLoss, "alpha", "gamma"),
  kl_div: loss(nablas.klDivLoss, "log_target"),
  poisson_nll: loss(nablas.poissonNllLoss, "log_input", "full", "eps"),
  hinge: loss(nablas.hingeLoss),
  squared_hinge: loss(nablas.squaredHingeLoss),
  exponential: loss(nablas.exponentialLoss),
  soft_margin: loss(nablas.softMarginLoss),
  multi_margin: loss(nablas.multiMarginLoss, "p", "margin", "weight"),
  categorical_hinge: loss(nablas.categoricalHingeLoss),
  cosine_embedding: {
    forward: ({ x1, x2, target }, options) => nablas.cosineEmbeddingLoss(x1, x2, target, options),
    options: ["reduction", "margin"],
  },
  cross_entropy: loss(nablas.crossEntropyLoss, "weight", "ignore_index", "label_smoothing"),
  nll_loss: loss(nablas.nllLoss, "weight", "ignore_index"),

  // alpha op(a) op(b) + beta c
  gemm: {
    forward: (inputs, { alpha, beta, ...flags }) => {
      const scaled = nablas.mul(product(inputs, flags), alpha as number);
      return inputs.c === undefined ? scaled : nablas.add(scaled, nablas.mul(inputs.c, beta as number));
    },
    options: ["trans_a", "trans_b", "alpha", "beta"],
    implied: ["m", "n", "k"],
  },
  bmm: { forward: product, options: ["trans_a", "trans_b"], implied: ["batch", "m", "n", "k"] },
  matmul: { forward: ({ a, b }) => nablas.matmul(a, b) },
  linear: { forward: ({ x, w, b }) => nablas.linear(x, w, b) },
};
