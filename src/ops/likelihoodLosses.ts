import { noGrad } from "../autograd";
import { OptionError, ShapeError, sameShape, show, withDefaults } from "../errors";
import type { Tensor, TensorData } from "../tensor";
import { mul } from "./arithmetic";
import { composed } from "./composed";
import {
  checkConstant,
  checkPair,
  checkReduction,
  checkWithin,
  elementwise,
  evaluate,
  type LossOptions,
  type Reduction,
  reduce,
} from "./elementwiseLoss";
import { toTensor } from "./operand";
import { broadcast } from "./shapes";

const PROBABILITIES = [0, 1] as const;
const NOT_NEGATIVE = [0, Number.POSITIVE_INFINITY] as const;

const plainBce = elementwise("bceLoss", {
  check: (pred, target) => {
    const fix = "; use bceWithLogitsLoss for logits, or put a sigmoid in front";
    checkWithin("bceLoss", "prediction", pred, PROBABILITIES, fix);
    checkWithin("bceLoss", "target", target, PROBABILITIES);
  },
});

export interface WeightedLossOptions extends LossOptions {
  /**
   * Factor of each value, broadcast to the shape of the prediction. "mean" still divides by the number of
   * values.
   */
  weight?: Tensor | TensorData;
}

const weightedDefaults = {
  weight: undefined as Tensor | TensorData | undefined,
  reduction: "mean" as Reduction,
};

/**
 * −(t log p + (1 − t) log(1 − p)) of probabilities p and targets t, [...] of one shape. Logarithms are
 * clamped to ≥ −100 as in PyTorch; Keras clips p to [1e-7, 1 − 1e-7], beyond which it has no gradient. For
 * logits, which keep their precision near 0 and 1, there is `bceWithLogitsLoss`.
 * @throws ShapeError if the shapes differ, GraphError if the target requires a gradient
 * @throws DomainError if a prediction or a target lies outside [0, 1] (PyTorch takes any target)
 */
export function bceLoss(pred: Tensor, target: Tensor, options?: WeightedLossOptions): Tensor {
  const { weight, reduction } = withDefaults("bceLoss", weightedDefaults, options);
  if (weight === undefined) return plainBce(pred, target, { reduction });
  return composed(() =>
    weighted("bceLoss", plainBce(pred, target, { reduction: "none" }), weight, reduction),
  );
}

export interface BceWithLogitsOptions extends WeightedLossOptions {
  /** Factor of the positive part, one per column: posWeight t softplus(−x) + (1 − t) softplus(x). */
  posWeight?: Tensor | TensorData;
}

const bceWithLogitsDefaults = {
  ...weightedDefaults,
  posWeight: undefined as Tensor | TensorData | undefined,
};

/**
 * Sigmoid and binary cross-entropy in one: max(x, 0) − x t + log(1 + e^−|x|) of logits x and targets t, [...]
 * of one shape. The gradient is σ(x) − t. In Keras: BinaryCrossentropy with `from_logits: true`, which is not
 * its default.
 * @throws ShapeError if the shapes differ, DomainError if a target lies outside [0, 1] (PyTorch takes any)
 * @throws GraphError if the target or `posWeight` requires a gradient
 */
export function bceWithLogitsLoss(logits: Tensor, target: Tensor, options?: BceWithLogitsOptions): Tensor {
  const op = "bceWithLogitsLoss";
  const { weight, posWeight, reduction } = withDefaults(op, bceWithLogitsDefaults, options);
  checkReduction(op, reduction);
  checkPair(op, logits, target, false);
  checkWithin(op, "target", target, PROBABILITIES);
  const values = (positive: Tensor, how: Reduction) =>
    evaluate(op, logits, target, { reduction: how, parameters: [positive.ptr], saved: [positive] });
  if (weight === undefined && posWeight === undefined) return values(target, reduction);
  return composed(() => {
    const positive = posWeight === undefined ? target : positivePart(op, posWeight, target);
    if (weight === undefined) return values(positive, reduction);
    return weighted(op, values(positive, "none"), weight, reduction);
  });
}

/** posWeight · t */
function positivePart(op: string, posWeight: Tensor | TensorData, target: Tensor): Tensor {
  const factor = fitting(op, "posWeight", posWeight, target);
  checkConstant(op, "posWeight", factor);
  return noGrad(() => mul(factor, target));
}

function weighted(op: string, values: Tensor, weight: Tensor | TensorData, reduction: Reduction): Tensor {
  return reduce(op, mul(values, fitting(op, "weight", weight, values)), reduction);
}

/** A weight that broadcasts to the shape of `values`. */
function fitting(op: string, name: string, weight: Tensor | TensorData, values: Tensor): Tensor {
  const w = toTensor(op, weight);
  if (!sameShape(broadcast(`${op}, ${name}`, w.shape, values.shape), values.shape)) {
    throw new ShapeError(`${op}: ${name} ${show(w.shape)} does not broadcast to ${show(values.shape)}`);
  }
  return w;
}

/**
 * Binary cross-entropy over logits x that turns to what is still wrong: α_t (1 − p_t)^gamma CE with p_t = t
 * σ(x) + (1 − t) σ(−x) and α_t = alpha t + (1 − alpha) (1 − t). x and targets t are [...] of one shape;
 * targets are labels 0 and 1 or anything between. Lin et al. 2017.
 *
 * `alpha` from 0 to 1, default 0.25, or −1 for α_t = 1; `gamma` ≥ 0, default 2. As torchvision's
 * sigmoid_focal_loss, but that one's reduction defaults to "none". Keras' takes probabilities by default, and
 * α_t only if asked to.
 * @throws ShapeError if the shapes differ, DomainError if a target lies outside [0, 1]
 * @throws OptionError for another alpha or gamma
 */
export const focalLoss = elementwise("focalLoss", {
  defaults: { alpha: 0.25, gamma: 2 },
  checkOptions: ({ alpha, gamma }) => {
    if (!(alpha === -1 || (alpha >= 0 && alpha <= 1))) {
      throw new OptionError(`focalLoss: alpha is a number from 0 to 1, or −1 for none, got ${alpha}`);
    }
    if (!(gamma >= 0)) throw new OptionError(`focalLoss: gamma is a number ≥ 0, got ${gamma}`);
  },
  check: (_, target) => checkWithin("focalLoss", "target", target, PROBABILITIES),
});

export interface KlDivOptions {
  /**
   * Default: "mean", by the number of elements. "batchmean" divides by the size of the first dimension
   * instead.
   */
  reduction?: Reduction | "batchmean";
  /** Whether the target holds log-probabilities; default false. */
  logTarget?: boolean;
}

const klDivDefaults = { logTarget: false, reduction: "mean" as Reduction | "batchmean" };

/**
 * The divergence of the target t from the prediction, which are log-probabilities p as logSoftmax gives them:
 * t (log t − p), 0 where t = 0; with `logTarget` e^t (t − p). Both are [...] of one shape. The mathematical
 * divergence of a batch of rows is "batchmean". Kullback and Leibler 1951.
 *
 * As in PyTorch the log-probabilities come first, and "mean" divides by the number of all elements. Keras
 * takes the target first and probabilities for both, clipped to ≥ 1e-7, and sums over the last dimension.
 * @throws ShapeError if the shapes differ, GraphError if the target requires a gradient
 * @throws DomainError if a target is below 0, unless `logTarget`
 */
export function klDivLoss(logProbs: Tensor, target: Tensor, options?: KlDivOptions): Tensor {
  const op = "klDivLoss";
  const { logTarget, reduction } = withDefaults(op, klDivDefaults, options);
  if (!["mean", "batchmean", "sum", "none"].includes(reduction)) {
    throw new OptionError(`${op}: reduction is "mean", "batchmean", "sum" or "none", got "${reduction}"`);
  }
  checkPair(op, logProbs, target, false);
  if (!logTarget) checkWithin(op, "target", target, NOT_NEGATIVE, "; log-probabilities want logTarget: true");
  const kernel = logTarget ? "klDivLogTargetLoss" : "klDivLoss";
  if (reduction !== "batchmean") return evaluate(op, logProbs, target, { reduction, kernel });
  return evaluate(op, logProbs, target, { reduction: "sum", scale: 1 / (logProbs.shape[0] ?? 1), kernel });
}

export interface PoissonNllOptions extends LossOptions {
  /** Whether the prediction is the logarithm of the rate; default true. */
  logInput?: boolean;
  /** Whether to add log t!, by Stirling's formula and for t > 1; default false. */
  full?: boolean;
  /** Added to a rate before its logarithm is taken, where not `logInput`; default 1e-8. */
  eps?: number;
}

const poissonDefaults = { logInput: true, full: false, eps: 1e-8, reduction: "mean" as Reduction };

/**
 * Negative log-likelihood of counts t: e^p − t p of logarithms p of the rates, or p − t log(p + eps) of rates
 * p without `logInput`; both [...] of one shape. `full` adds t log t − t + log(2πt) / 2 where t > 1.
 *
 * As in PyTorch. Keras takes rates, with eps 1e-7 (here 1e-8).
 * @throws ShapeError if the shapes differ, GraphError if the target requires a gradient
 * @throws DomainError if a target is below 0, or a rate (PyTorch takes both)
 */
export function poissonNllLoss(pred: Tensor, target: Tensor, options?: PoissonNllOptions): Tensor {
  const op = "poissonNllLoss";
  const { logInput, full, eps, reduction } = withDefaults(op, poissonDefaults, options);
  checkReduction(op, reduction);
  if (!(eps >= 0)) throw new OptionError(`${op}: eps is a number ≥ 0, got ${eps}`);
  checkPair(op, pred, target, false);
  checkWithin(op, "target", target, NOT_NEGATIVE);
  if (logInput) return evaluate(op, pred, target, { reduction, parameters: [Number(full)] });
  checkWithin(op, "rate", pred, NOT_NEGATIVE, "; logarithms of rates want logInput: true");
  const parameters = [Number(full), eps];
  return evaluate(op, pred, target, { reduction, parameters, kernel: "poissonRateNllLoss" });
}
