import { noGrad, recording } from "../autograd";
import { ones } from "../create";
import { OptionError, ShapeError, sameShape, show, text, withDefaults } from "../errors";
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
  fitted,
  type LossOptions,
  type Reduction,
  reduce,
} from "./elementwiseLoss";
import { toTensor } from "./operand";
import { broadcast } from "./shapes";

const PROBABILITIES = [0, 1] as const;
const NOT_NEGATIVE = [0, Number.POSITIVE_INFINITY] as const;

/** What a loss of pairs with weights takes. */
export interface WeightedLossOptions extends LossOptions {
  /**
   * Factor of each value, broadcast to the shape of the prediction. "mean" still divides by the number of
   * values. One that requires a gradient multiplies values rounded to float32.
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
  const op = "bceLoss";
  const { weight, reduction } = withDefaults(op, weightedDefaults, options);
  checkReduction(op, reduction);
  if (!checkPair(op, pred, target, false)) return fitted(op, pred, target, (t) => bceLoss(pred, t, options));
  const fix = "; use bceWithLogitsLoss for logits, or put a sigmoid in front";
  checkWithin(op, "prediction", pred, PROBABILITIES, fix);
  checkWithin(op, "target", target, PROBABILITIES);
  return weighted(op, pred, target, weight, reduction);
}

/** The options of `bceWithLogitsLoss`. */
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
  if (!checkPair(op, logits, target, false)) {
    return fitted(op, logits, target, (t) => bceWithLogitsLoss(logits, t, options));
  }
  checkWithin(op, "target", target, PROBABILITIES);
  return weighted(op, logits, target, weight, reduction, posWeight);
}

/** The loss of a pair that has been checked, with factors of its values and perhaps of their positive part. */
function weighted(
  op: "bceLoss" | "bceWithLogitsLoss",
  pred: Tensor,
  target: Tensor,
  weight: Tensor | TensorData | undefined,
  reduction: Reduction,
  posWeight?: Tensor | TensorData,
): Tensor {
  const values = (how: Reduction, positive?: Tensor, factor?: Tensor) => {
    const saved = [positive, factor].filter((w) => w !== undefined);
    const pointers = op === "bceLoss" ? [factor] : [positive, factor];
    const parameters = pointers.map((w) => w?.ptr ?? 0);
    return evaluate(op, pred, target, { reduction: how, parameters, saved });
  };
  if (weight === undefined && posWeight === undefined) return values(reduction);
  return composed(() => {
    const positive = posWeight === undefined ? undefined : fitting(op, "posWeight", posWeight, target);
    if (positive !== undefined) checkConstant(op, "posWeight", positive);
    const p = positive && spread(positive, target);
    const w = weight === undefined ? undefined : fitting(op, "weight", weight, target);
    if (w === undefined || !recording([w])) return values(reduction, p, w && spread(w, target));
    return reduce(op, mul(values("none", p), w), reduction);
  });
}

/** x broadcast to the shape of `like`. */
function spread(x: Tensor, like: Tensor): Tensor {
  return sameShape(x.shape, like.shape) ? x : noGrad(() => mul(x, ones(like.shape)));
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

/** The options of `klDivLoss`. */
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
    throw new OptionError(`${op}: reduction is "mean", "batchmean", "sum" or "none", got ${text(reduction)}`);
  }
  if (!checkPair(op, logProbs, target, false)) {
    return fitted(op, logProbs, target, (t) => klDivLoss(logProbs, t, options));
  }
  if (!logTarget) checkWithin(op, "target", target, NOT_NEGATIVE, "; log-probabilities want logTarget: true");
  const kernel = logTarget ? "klDivLogTargetLoss" : "klDivLoss";
  if (reduction !== "batchmean") return evaluate(op, logProbs, target, { reduction, kernel });
  return evaluate(op, logProbs, target, { reduction: "sum", scale: 1 / (logProbs.shape[0] ?? 1), kernel });
}
