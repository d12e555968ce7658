import { gradient, record } from "../autograd";
import { DomainError, OptionError, sameShape, withDefaults } from "../errors";
import { Buffer } from "../memory";
import { expectNone } from "../recording";
import type { Tensor, TensorData } from "../tensor";
import { kernels } from "../wasm";
import { add, mul, neg } from "./arithmetic";
import {
  asClassWeight,
  asRows,
  asTarget,
  type ClassTargets,
  checkClasses,
  lossOf,
  type Rows,
} from "./classTargets";
import { composed } from "./composed";
import { checkReduction, type LossOptions, type Reduction } from "./elementwiseLoss";
import { reshape } from "./layout";
import { asFloat } from "./operand";
import { sum } from "./reductions";
import { logSoftmax } from "./softmax";

/** The options of `nllLoss`. */
export interface NllOptions extends LossOptions {
  /**
   * Factor of each class, [classes]. "mean" divides by the sum of the factors of the targets. A probability below 2^−150
   * counts as 0, whatever its factor.
   */
  weight?: Tensor | TensorData;
  /** Rows with this target count for nothing; default −100. */
  ignoreIndex?: number;
}

/** The options of `crossEntropyLoss`. */
export interface CrossEntropyOptions extends NllOptions {
  /** Share s of the target spread evenly over all classes, 0 ≤ s ≤ 1; default 0. */
  labelSmoothing?: number;
}

const nllDefaults = {
  weight: undefined as Tensor | TensorData | undefined,
  ignoreIndex: -100,
  reduction: "mean" as Reduction,
};

const crossEntropyDefaults = { ...nllDefaults, labelSmoothing: 0 };

/** @throws OptionError if `ignoreIndex` is no 32-bit integer */
function checkIgnoreIndex(op: string, ignoreIndex: number): void {
  if ((ignoreIndex | 0) !== ignoreIndex)
    throw new OptionError(`${op}: ignoreIndex is an integer, got ${ignoreIndex}`);
}

/** The factor of each row in float64, as kernels.classWeights forms it. @throws DomainError for a target that is no class */
function rowWeights(
  op: string,
  { rows, classes }: Rows,
  target: Tensor,
  weight: Tensor | undefined,
  ignoreIndex: number,
  mean: boolean,
): Buffer {
  const weights = new Buffer(2 * rows);
  const rest = [weight?.ptr ?? 0, weights.ptr, rows, classes, ignoreIndex, Number(mean)];
  expectNone("classWeights", target, rest, (at, value) => {
    weights.free("dispose");
    return new DomainError(
      `${op}: expected classes 0 … ${classes - 1}, got ${value} at position ${at}; rows to leave out carry ` +
        `ignoreIndex (here ${ignoreIndex})`,
    );
  });
  return weights;
}

/** A mean over no rows is NaN; weights have made means of other sums already. */
function settleMean(y: Tensor, rows: number, reduction: Reduction): void {
  if (rows === 0 && reduction === "mean") kernels.fill(y.ptr, 1, Number.NaN);
}

/**
 * Softmax and negative log-likelihood in one, over logits z: log Σ e^z − z[class], whose gradient is
 * softmax(z) − y; of distributions q, Σ q (log Σ e^z − z). Smoothing turns a target into (1 − s) of it and s
 * / classes everywhere. Value and gradient keep their relative precision when one class is almost certain.
 *
 * As in PyTorch the class axis is 1, and "mean" divides by the sum of the weights of the targets that count,
 * of distributions by the number of rows; with every row ignored or of weight 0 it is 0 (PyTorch: NaN), without
 * rows NaN. Keras takes probabilities unless `from_logits`, along the last axis, and divides by the number of rows.
 * @param logits [batch, classes], [batch, classes, …] or [classes]
 * @param target class indices (i32, or a typed array of integers) of the shape without the class axis, or distributions
 *   of the shape of logits; of integers one-hot rows
 * @returns [], or with `reduction: "none"` the shape without the class axis
 * @throws ShapeError, DTypeError for targets of another shape or f32 classes; OptionError for labelSmoothing
 *   outside [0, 1]
 * @throws DomainError for an index that is no class and not `ignoreIndex`, or a probability outside [0, 1] (PyTorch
 *   takes any)
 */
export function crossEntropyLoss(
  logits: Tensor,
  target: ClassTargets,
  options?: CrossEntropyOptions,
): Tensor {
  const op = "crossEntropyLoss";
  const given = withDefaults(op, crossEntropyDefaults, options);
  const { labelSmoothing, ignoreIndex, reduction } = given;
  checkReduction(op, reduction);
  checkIgnoreIndex(op, ignoreIndex);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new OptionError(`${op}: labelSmoothing is a number from 0 to 1, got ${labelSmoothing}`);
  }
  return composed(() => {
    const rows = asRows(op, logits);
    const weight = asClassWeight(op, given.weight, rows.classes);
    const t = asTarget(op, target, logits);
    if (sameShape(t.shape, logits.shape)) {
      const q = asFloat(op, t);
      expectNone(
        "firstOutside",
        q,
        [q.size, 0, 1],
        (at, value) =>
          new DomainError(
            `${op}: expected target probabilities within [0, 1], got ${value} at element ${at}`,
          ),
      );
      return softCrossEntropy(rows, asRows(op, q).x, weight, labelSmoothing, reduction);
    }
    checkClasses(op, t, rows.shape);
    return hardCrossEntropy(op, rows, t, weight, labelSmoothing, ignoreIndex, reduction);
  });
}

function hardCrossEntropy(
  op: string,
  rows: Rows,
  target: Tensor,
  weight: Tensor | undefined,
  smoothing: number,
  ignoreIndex: number,
  reduction: Reduction,
): Tensor {
  const weights = rowWeights(op, rows, target, weight, ignoreIndex, reduction === "mean");
  const { rows: n, classes, x } = rows;
  const each = Number(reduction === "none");
  const y = lossOf(rows.shape, reduction);
  const saved = new Buffer(n * classes);
  if (smoothing === 0) {
    kernels.crossEntropyLossForward(x.ptr, target.ptr, weights.ptr, saved.ptr, y.ptr, n, classes, each);
  } else {
    const q = new Buffer(n * classes);
    const w = weight?.ptr ?? 0;
    kernels.smoothTargets(
      target.ptr,
      w,
      q.ptr,
      n,
      classes,
      ignoreIndex,
      smoothing,
      Number(reduction === "mean"),
    );
    kernels.softCrossEntropyLossForward(x.ptr, q.ptr, saved.ptr, y.ptr, n, classes, each, 1);
    q.free("dispose");
  }
  weights.free("dispose");
  settleMean(y, n, reduction);
  return recordRows(op, rows, y, saved, reduction);
}

function softCrossEntropy(
  rows: Rows,
  target: Tensor,
  weight: Tensor | undefined,
  smoothing: number,
  reduction: Reduction,
): Tensor {
  const { rows: n, classes, x } = rows;
  const q = softTargets(reshape(target, [n, classes]), weight, smoothing, classes);
  const scale = reduction === "mean" ? 1 / n : 1;
  if (q.requiresGrad) {
    const values = neg(sum(mul(q, logSoftmax(reshape(x, [n, classes]))), { dim: 1 }));
    return reduction === "none" ? reshape(values, rows.shape) : mul(sum(values), scale);
  }
  const y = lossOf(rows.shape, reduction);
  const saved = new Buffer(n * classes);
  const each = Number(reduction === "none");
  kernels.softCrossEntropyLossForward(x.ptr, q.ptr, saved.ptr, y.ptr, n, classes, each, scale);
  return recordRows("crossEntropyLoss", rows, y, saved, reduction);
}

/** weight ((1 − s) t + s / classes) */
function softTargets(target: Tensor, weight: Tensor | undefined, smoothing: number, classes: number): Tensor {
  const q = smoothing === 0 ? target : add(mul(target, 1 - smoothing), smoothing / classes);
  return weight === undefined ? q : mul(q, weight);
}

/** `saved` holds the gradient of each row's share in y by its logits. */
export function recordRows(op: string, rows: Rows, y: Tensor, saved: Buffer, reduction: Reduction): Tensor {
  const { x, rows: n, classes } = rows;
  const each = Number(reduction === "none");
  return record(op, y, [x], [saved], (dy) =>
    kernels.crossEntropyLossBackward(saved.ptr, dy, gradient(x), n, classes, each),
  );
}

/**
 * −x[class] of log-probabilities x, as logSoftmax gives them; crossEntropyLoss does both in one. The class
 * axis is 1, and the mean is that of crossEntropyLoss.
 * @param logProbs [batch, classes], [batch, classes, …] or [classes]
 * @param target class indices (i32) of the shape without the class axis
 * @returns [], or with `reduction: "none"` the shape of the target
 * @throws ShapeError, DTypeError for targets of another shape or dtype
 * @throws DomainError for an index that is no class and not `ignoreIndex`
 */
export function nllLoss(logProbs: Tensor, target: ClassTargets, options?: NllOptions): Tensor {
  const op = "nllLoss";
  const { weight, ignoreIndex, reduction } = withDefaults(op, nllDefaults, options);
  checkReduction(op, reduction);
  checkIgnoreIndex(op, ignoreIndex);
  return composed(() => {
    const rows = asRows(op, logProbs);
    const { x, rows: n, classes } = rows;
    const t = asTarget(op, target, logProbs);
    checkClasses(op, t, rows.shape);
    const weights = rowWeights(
      op,
      rows,
      t,
      asClassWeight(op, weight, classes),
      ignoreIndex,
      reduction === "mean",
    );
    const y = lossOf(rows.shape, reduction);
    const each = Number(reduction === "none");
    kernels.nllLossForward(x.ptr, t.ptr, weights.ptr, y.ptr, n, classes, each);
    settleMean(y, n, reduction);
    return record(op, y, [x], [t, weights], (dy) =>
      kernels.nllLossBackward(t.ptr, weights.ptr, dy, gradient(x), n, classes, each),
    );
  });
}
